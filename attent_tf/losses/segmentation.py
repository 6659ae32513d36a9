"""Supervised losses of the segmentor: cross-entropy (Eq. 5), soft Dice as an option (SIFA), and those of PnP-AdaNet and SIFA."""

import math

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


def class_shares(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """The share of each class among the pixels of an example; 1 − their mean over a batch weighs classes by rarity (PnP-AdaNet).

    Args:
      labels: [batch, height, width] class indices.
      classes: C.

    Returns:
      [batch, classes] float32, each row of sum 1.
    """
    return tf.reduce_mean(tf.one_hot(tf.cast(labels, tf.int32), classes, dtype=tf.float32), axis=[1, 2])


def weighted_cross_entropy_loss(
    logits: tf.Tensor, labels: tf.Tensor, class_weights: tf.Tensor, least_probability: float = 0.0
) -> tf.Tensor:
    """−w_y log S(x)^y, averaged over pixels: each pixel has the weight of its class (PnP-AdaNet, SIFA).

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.
      class_weights: w, [classes]; PnP-AdaNet and SIFA take 1 − the share of the class in the batch, see `class_shares`.
      least_probability: below which a probability is taken for this one, and has no slope; 0.005 in PnP-AdaNet and SIFA.

    Returns:
      [batch] float32.
    """
    log_p = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    if least_probability:
        log_p = tf.maximum(log_p, math.log(least_probability))
    truth = tf.one_hot(tf.cast(labels, tf.int32), logits.shape[-1], dtype=tf.float32)
    return -tf.reduce_mean(tf.reduce_sum(tf.cast(class_weights, tf.float32) * truth * log_p, axis=-1), axis=[1, 2])


def squared_dice_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """One minus the mean over all classes of a soft Dice with squared predictions (PnP-AdaNet, SIFA).

    Dice_c = 2 Σ p_c y_c / (Σ p_c² + Σ y_c + 1e−7), background included; a class that the example does not show counts as 0. The
    released codes sum over the pixels of a whole batch; here it is one example, so that devices that share a batch train alike.

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.

    Returns:
      [batch] float32.
    """
    probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
    truth = tf.one_hot(tf.cast(labels, tf.int32), logits.shape[-1], dtype=tf.float32)
    overlap = tf.reduce_sum(probabilities * truth, axis=[1, 2])
    total = tf.reduce_sum(tf.square(probabilities) + truth, axis=[1, 2])
    return 1.0 - tf.reduce_mean(2.0 * overlap / (total + 1e-7), axis=-1)
