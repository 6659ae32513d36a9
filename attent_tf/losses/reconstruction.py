"""Losses that compare two images pixel by pixel: cycle consistency (Eq. 4) and the identity anchor."""

import tensorflow as tf


def l1_loss(image: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference, the L1 norm of Eq. 4 divided by the number of pixels.

    With `image` = G_t2s(G_s2t(x_s)) and `reference` = x_s it is one term of the cycle loss; with `image` = G_t2s(x_s) it is
    the identity loss, which the paper does not have and which prevents a translation from settling on inverted contrast.

    Args:
      image: [batch, height, width, channels].
      reference: the same shape.

    Returns:
      [batch] float32.
    """
    difference = tf.cast(image, tf.float32) - tf.cast(reference, tf.float32)
    return tf.reduce_mean(tf.abs(difference), axis=[1, 2, 3])
