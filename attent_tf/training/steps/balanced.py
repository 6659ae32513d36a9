"""The segmentor on labelled slices whose small structures count as much as large ones (stage 1 of PnP-AdaNet)."""

import functools

import tensorflow as tf

from attent_tf import losses
from attent_tf.training.replicas import run_and_sum
from attent_tf.training.steps.supervised import SupervisedStep
from attent_tf.training.steps.supervised_terms import supervised_terms

# Below it a pixel counts as hopeless and has no slope.
_LEAST_PROBABILITY = 0.005


class BalancedStep(SupervisedStep):
    """The segmentor: cross-entropy by the classes' shares of the global batch, and Dice over all classes.

    Make it, and trace it, inside the scope of the strategy.
    """

    def update(self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], *rest) -> dict[str, tf.Tensor]:
        """One update of S on images and labels."""
        del phase, step, rest
        images, labels = labelled
        count = functools.partial(losses.class_counts, classes=self.context.task.num_classes)
        counts = self.strategy.run(count, args=(labels,))
        weights = losses.balancing_weights(self.strategy.reduce("SUM", counts, axis=0))
        gradients, metrics = run_and_sum(self.strategy, self._supervised_gradients, (images, labels, weights))
        self.segmentor_update.apply(gradients)
        return metrics

    def _optimizer(self):
        return self.context.config.pnp_adanet.segmentor

    def _terms(self, source, labels, class_weights):
        cross_entropy = functools.partial(
            losses.weighted_cross_entropy_loss, class_weights=class_weights, least_probability=_LEAST_PROBABILITY
        )
        return supervised_terms(self.config, source, labels, self.share, cross_entropy, losses.squared_dice_loss)
