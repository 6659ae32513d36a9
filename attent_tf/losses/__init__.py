"""The paper's equations. Losses return one value per example; only the trainer reduces them."""

from attent_tf.losses.adversarial import decision_accuracy, discriminator_loss, fake_loss, real_loss
from attent_tf.losses.entropy import entropy_map, self_information_map
from attent_tf.losses.reconstruction import l1_loss
from attent_tf.losses.segmentation import (
    balancing_weights,
    class_counts,
    cross_entropy_loss,
    dice_loss,
    squared_dice_loss,
    weighted_cross_entropy_loss,
)

__all__ = [
    "balancing_weights",
    "class_counts",
    "cross_entropy_loss",
    "decision_accuracy",
    "dice_loss",
    "discriminator_loss",
    "entropy_map",
    "fake_loss",
    "l1_loss",
    "real_loss",
    "self_information_map",
    "squared_dice_loss",
    "weighted_cross_entropy_loss",
]
