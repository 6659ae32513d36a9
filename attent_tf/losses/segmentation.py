"""Supervised losses of the segmentor: cross-entropy (Eq. 5), soft Dice as an option, and the class weights of other
methods.

Weighted losses are means over pixels, so that a weight of 1 for every class gives the loss without weights. All of them begin
with the same logarithm of the softmax, which a graph that has several of them, or an entropy map, computes once: over a handful
of classes it costs a processor more than any of the rest.
"""

import math

import tensorflow as tf


def cross_entropy_loss(logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor | None = None) -> tf.Tensor:
    """−Σ_c y^c log S(x)^c (Eq. 5), averaged over pixels.

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.
      weights: [batch, height, width] float32, the weight of each pixel; the mean is over pixels with a weight above 0. None for
        1 throughout.

    Returns:
      [batch] float32; 0 for an example whose weights are all 0.
    """
    losses = -tf.reduce_sum(_one_hot(labels, logits.shape[-1]) * _log_softmax(logits), axis=-1)
    if weights is None:
        return tf.reduce_mean(losses, axis=[1, 2])
    counted = tf.reduce_sum(tf.cast(weights > 0, tf.float32), axis=[1, 2])
    return tf.math.divide_no_nan(tf.reduce_sum(weights * losses, axis=[1, 2]), counted)


def dice_loss(logits: tf.Tensor, labels: tf.Tensor, kept: tf.Tensor | None = None) -> tf.Tensor:
    """One minus the soft Dice coefficient, averaged over the structures that the example shows.

    Dice_c = 2 Σ p_c y_c / (Σ p_c + Σ y_c), sums over the pixels of one example. A structure that the slice does not show is
    left to the cross-entropy: its Dice would be 0 for any prediction.

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.
      kept: [batch, height, width] bool, the pixels that the sums are over; None for all.

    Returns:
      [batch] float32; 0 for a slice without structures.
    """
    probabilities, truth = tf.exp(_log_softmax(logits)), _one_hot(labels, logits.shape[-1])
    if kept is not None:
        counted = tf.cast(kept, tf.float32)[..., tf.newaxis]
        probabilities, truth = counted * probabilities, counted * truth
    overlap = tf.reduce_sum(probabilities * truth, axis=[1, 2])[:, 1:]
    area = tf.reduce_sum(truth, axis=[1, 2])[:, 1:]
    total = tf.reduce_sum(probabilities, axis=[1, 2])[:, 1:] + area
    shown = tf.cast(area > 0, tf.float32)
    loss = shown * (1.0 - tf.math.divide_no_nan(2.0 * overlap, total))
    return tf.math.divide_no_nan(tf.reduce_sum(loss, axis=-1), tf.reduce_sum(shown, axis=-1))


def weighted_cross_entropy_loss(
    logits: tf.Tensor, labels: tf.Tensor, class_weights: tf.Tensor, least_probability: float = 0.0
) -> tf.Tensor:
    """−w_y log S(x)^y of the true class y, averaged over pixels (SynSeg-Net, PnP-AdaNet, SIFA).

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.
      class_weights: [classes] float32.
      least_probability: smaller probabilities are raised to it, so that hopeless pixels have no slope; 0 for no limit.

    Returns:
      [batch] float32.
    """
    truth, log_p = _one_hot(labels, logits.shape[-1]), _log_softmax(logits)
    if least_probability:
        log_p = tf.maximum(log_p, math.log(least_probability))
    weights = tf.cast(class_weights, tf.float32)
    return -tf.reduce_mean(tf.reduce_sum(weights * truth * log_p, axis=-1), axis=[1, 2])


def class_counts(labels: tf.Tensor, classes: int) -> tf.Tensor:
    """Returns how many pixels of each class each example has.

    Args:
      labels: [batch, height, width] class indices.
      classes: C, with the background.

    Returns:
      [batch, classes] float32.
    """
    return tf.reduce_sum(_one_hot(labels, classes), axis=[1, 2])


def balancing_weights(counts: tf.Tensor) -> tf.Tensor:
    """Weighs each class by one minus its share of the pixels, so that small structures count (PnP-AdaNet, SIFA).

    Args:
      counts: [..., classes], pixels of each class; both papers count over the batch.

    Returns:
      [..., classes] float32 in [0, 1].
    """
    counts = tf.cast(counts, tf.float32)
    return 1.0 - counts / tf.reduce_sum(counts, axis=-1, keepdims=True)


def squared_dice_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """One minus the soft Dice coefficient with squared predictions, averaged over all classes (PnP-AdaNet, SIFA).

    Dice_c = 2 Σ p_c y_c / (Σ p_c² + Σ y_c + 1e−7), sums over the pixels of one example; the authors sum over the batch. The
    background is a class like any other, and a class that the example does not show has a Dice of 0.

    Args:
      logits: [batch, height, width, classes].
      labels: [batch, height, width] class indices.

    Returns:
      [batch] float32 in [0, 1].
    """
    probabilities, truth = tf.exp(_log_softmax(logits)), _one_hot(labels, logits.shape[-1])
    overlap = tf.reduce_sum(probabilities * truth, axis=[1, 2])
    total = tf.reduce_sum(tf.square(probabilities), axis=[1, 2]) + tf.reduce_sum(truth, axis=[1, 2])
    return 1.0 - tf.reduce_mean(2.0 * overlap / (total + 1e-7), axis=-1)


def _log_softmax(logits):
    return tf.nn.log_softmax(tf.cast(logits, tf.float32))


def _one_hot(labels, classes):
    return tf.one_hot(tf.cast(labels, tf.int32), classes, dtype=tf.float32)
