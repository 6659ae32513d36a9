"""CyCADA, stage 3: the scores of target slices have to pass for those of translated source slices (Hoffman et al., ICML 2018).

The discriminator learns at every step, S only while the discriminator is good enough to learn from. The authors stop where it
never is in a whole epoch; here S then simply stays what it is, and the history says so (`updated`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from attent_tf.methods import JUDGE_MAIN, SEGMENTOR
from attent_tf.training.panels import SegmentationPanel
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.adversary import Adversary
from attent_tf.training.steps.gate import Gate
from attent_tf.training.steps.step import Step, StepContext
from attent_tf.training.steps.supervised_terms import mean_entropy, supervised_terms


class ScoreAdaptationStep(Step):
    """The discriminator of scores and, while it judges well, the segmentor.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `segmentor` and `judge_main`.
    """

    metric_names = (
        "cross_entropy",
        "dice",
        "entropy_source",
        "entropy_target",
        "alignment",
        "discriminator",
        "accuracy",
        "updated",
    )

    def __init__(self, context: StepContext):
        super().__init__(context)
        config = self.config
        self.segmentor = self.networks[SEGMENTOR]
        judge = self.networks[JUDGE_MAIN]
        judge(self.segmentor(tf.zeros((1, *context.image_shape))).main)
        self.segmentor_update = self.updating("segmentor", config.segmentor, self.segmentor)
        self.adversary = Adversary(
            self, JUDGE_MAIN, judge, config.discriminator, "log_likelihood", config.aligner_weight
        )
        self.gate = Gate(config.gate_accuracy, config.gate_window)
        self._look = compiled(self._look, context.config.jit)
        self._adapting_gradients = compiled(self._adapting_gradients, context.config.jit)

    def state(self) -> dict[str, Any]:
        """As every step's, with the gate."""
        return {**super().state(), "gate": self.gate.stored()}

    def update(
        self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One update of the discriminator and, where the gate is open, one of S."""
        del phase, step
        scores_s, scores_t, metrics = run_and_sum(self.strategy, self._look, (*labelled, x_t))
        judged = self.adversary.learn(scores_s, scores_t)
        self.gate.record(judged["accuracy"])
        is_open = self.gate.is_open()
        tf.cond(is_open, lambda: self._adapt(labelled, x_t), lambda: None)
        updated = tf.cast(is_open, tf.float32)
        return {**metrics, "discriminator": judged["loss"], "accuracy": judged["accuracy"], "updated": updated}

    def _adapt(self, labelled, x_t):
        gradients, _ = run_and_sum(self.strategy, self._adapting_gradients, (*labelled, x_t))
        self.segmentor_update.apply(gradients)

    def _look(self, images, labels, x_t):
        source, target = self.segmentor(images, training=False), self.segmentor(x_t, training=False)
        _, metrics = self._terms(source, labels)
        metrics = {
            **metrics,
            "entropy_target": self.share(mean_entropy(target.main)),
            "alignment": self.share(self.adversary.charge(target.main)),
        }
        return source.main, target.main, metrics

    def _adapting_gradients(self, images, labels, x_t):
        with tf.GradientTape() as tape:
            supervised, _ = self._terms(self.segmentor(images, training=True), labels)
            # Without `training`: the statistics of the batch norms stay those of labelled images.
            target = self.segmentor(x_t, training=False)
            loss = supervised + self.share(self.adversary.charge(target.main))
            scaled = self.segmentor_update.scaled(loss)
        return tape.gradient(scaled, self.segmentor_update.variables_updated), {}

    def _terms(self, output, labels):
        return supervised_terms(self.context.config.segmentation, output, labels, self.share)

    def panel(self, labelled: np.ndarray, target: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Image, predicted classes and entropy, for labelled and for target slices."""
        return SegmentationPanel(self.segmentor, labelled, target)
