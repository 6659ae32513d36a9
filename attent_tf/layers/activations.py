"""Activations that Keras's own operation would not serve as well."""

import tensorflow as tf

_SLOPE = 0.2


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0.2 x), the activation of every discriminator; `x` and the result have one shape and dtype.

    Written out, because TensorFlow's graph optimiser stumbles over its LeakyRelu behind a bias (oneDNN) and says so on
    standard error.
    """
    return tf.maximum(x, _SLOPE * x)
