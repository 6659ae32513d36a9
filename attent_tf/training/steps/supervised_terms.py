"""What S pays for its segmentation of labelled slices (Eq. 5)."""

from collections.abc import Callable

import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import SegmentationConfig
from attent_tf.models import SegmentorOutput


def supervised_terms(
    config: SegmentationConfig,
    output: SegmentorOutput,
    labels: tf.Tensor,
    share: Callable[[tf.Tensor], tf.Tensor],
    cross_entropy_loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = losses.cross_entropy_loss,
    dice_loss: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] = losses.dice_loss,
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Returns the loss, weighted over both heads, and its parts.

    Args:
      config: with `main_weight`, `aux_weight` and `dice_weight`.
      output: the output of the segmentor.
      labels: [batch, height, width] class indices.
      share: one value per example [batch] to a replica's share of the mean.
      cross_entropy_loss, dice_loss: of logits and labels, one value per example [batch].

    Returns:
      The loss [] and `cross_entropy`, `dice` and `entropy_source` [] as metrics.
    """
    heads = ((config.main_weight, output.main), (config.aux_weight, output.aux))
    cross_entropy = sum(weight * cross_entropy_loss(logits, labels) for weight, logits in heads)
    dice = tf.zeros_like(cross_entropy)
    if config.dice_weight:
        dice = sum(weight * dice_loss(logits, labels) for weight, logits in heads)
    metrics = {
        "cross_entropy": share(cross_entropy),
        "dice": share(dice),
        "entropy_source": share(mean_entropy(output.main)),
    }
    return share(cross_entropy + config.dice_weight * dice), metrics


def mean_entropy(logits: tf.Tensor) -> tf.Tensor:
    """Returns the mean of Eq. 6 over the pixels of each example, [batch] float32, for [batch, height, width, classes]."""
    return tf.reduce_mean(losses.entropy_map(logits), axis=[1, 2, 3])
