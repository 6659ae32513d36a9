"""The LeakyReLU of the discriminators (section IV-A.3), which Keras's own operation would not serve as well."""

import tensorflow as tf

_SLOPE = 0.2


def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0.2 x), the activation of every discriminator.

    Written out, because TensorFlow's graph optimiser stumbles over its LeakyRelu behind a bias (oneDNN) and says so on
    standard error. The paper gives no slope; 0.2 is that of CycleGAN and ADVENT.

    Args:
      x: of any shape.

    Returns:
      The same shape and dtype.
    """
    return tf.maximum(x, _SLOPE * x)
