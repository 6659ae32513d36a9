"""Supervised losses of the segmentor: cross-entropy (Eq. 5), and soft Dice as an option (SIFA)."""

import tensorflow as tf


def cross_entropy_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """−Σ_c y^c log S(x)^c (Eq. 5), averaged over pixels.

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.

    Returns:
      [batch] float32.
    """
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.cast(labels, tf.int32), logits=tf.cast(logits, tf.float32)
    )
    return tf.reduce_mean(losses, axis=[1, 2])


def dice_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """One minus the soft Dice coefficient, averaged over the organs that the example shows.

    Dice_c = 2 Σ p_c y_c / (Σ p_c + Σ y_c), sums over the pixels of one example. An organ that the slice does not show is left
    to the cross-entropy: its Dice would be 0 for any prediction at all.

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.

    Returns:
      [batch] float32; 0 for a slice without organs.
    """
    classes = logits.shape[-1]
    probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
    truth = tf.one_hot(tf.cast(labels, tf.int32), classes, dtype=tf.float32)
    overlap = tf.reduce_sum(probabilities * truth, axis=[1, 2])[:, 1:]
    area = tf.reduce_sum(truth, axis=[1, 2])[:, 1:]
    total = tf.reduce_sum(probabilities, axis=[1, 2])[:, 1:] + area
    shown = tf.cast(area > 0, tf.float32)
    loss = shown * (1.0 - tf.math.divide_no_nan(2.0 * overlap, total))
    return tf.math.divide_no_nan(tf.reduce_sum(loss, axis=-1), tf.reduce_sum(shown, axis=-1))
