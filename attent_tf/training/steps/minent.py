"""The segmentor made sure of itself on the target without an adversary (MinEnt, the direct form in ADVENT's paper)."""

import tensorflow as tf

from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.step import StepContext
from attent_tf.training.steps.supervised_terms import mean_entropy, supervised_terms
from attent_tf.training.steps.warmed_up import WarmedUpStep


class MinEntStep(WarmedUpStep):
    """The segmentor on labelled slices, and on target slices whose entropy it lowers.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `segmentor`.
    """

    metric_names = (*WarmedUpStep.metric_names, "entropy_target", "alignment")

    def __init__(self, context: StepContext):
        super().__init__(context)
        self._gradients = compiled(self._gradients, context.config.jit)

    def adapt(self, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of S on labelled and target images."""
        gradients, metrics = run_and_sum(self.strategy, self._gradients, (*labelled, x_t))
        self.segmentor_update.apply(gradients)
        return metrics

    def _gradients(self, images, labels, x_t):
        config = self.config
        with tf.GradientTape() as tape:
            source = self.segmentor(images, training=True)
            supervised, metrics = supervised_terms(config, source, labels, self.share)
            target = self.segmentor(x_t, training=self.config.aligner_statistics == "own")
            entropy = mean_entropy(target.main)
            weighted = config.aligner_main_weight * entropy + config.aligner_aux_weight * mean_entropy(target.aux)
            loss = supervised + self.share(weighted)
            scaled = self.segmentor_update.scaled(loss)
        metrics = {
            "segmentor": loss,
            **metrics,
            "entropy_target": self.share(entropy),
            "alignment": self.share(weighted),
        }
        return tape.gradient(scaled, self.segmentor_update.variables_updated), metrics
