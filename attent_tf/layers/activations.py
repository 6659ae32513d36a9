"""The LeakyReLU of the discriminators (section IV-A.3), for which Keras's own operation is less suitable."""

import tensorflow as tf

_SLOPE = 0.2


@tf.custom_gradient
def leaky_relu(x: tf.Tensor) -> tf.Tensor:
    """max(x, 0.2 x), the activation of every discriminator.

    It is written out because TensorFlow's graph optimiser fails on its LeakyRelu after a bias (oneDNN) and says so on
    standard error. The paper gives no slope; 0.2 is that of CycleGAN and ADVENT.

    Args:
      x: of any shape.

    Returns:
      The same shape and dtype.
    """

    y = tf.maximum(x, _SLOPE * x)

    def gradient(upstream):
        # That of the maximum, 1 at 0 too, in a third of its operations. It reads y, which has the sign of x: an x that others
        # read as well is what the optimiser fails on.
        return tf.where(y >= 0, upstream, _SLOPE * upstream)

    return y, gradient
