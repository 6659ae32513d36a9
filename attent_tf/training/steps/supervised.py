"""Stage 2, inner step without alignment: the segmentor on labelled slices (Eq. 5)."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from attent_tf.configs import Config
from attent_tf.configs.first_weights import package_of
from attent_tf.methods import SEGMENTOR
from attent_tf.models import find_weights
from attent_tf.tasks import Task
from attent_tf.training.first_weights import begin_segmentor
from attent_tf.training.panels import SegmentationPanel
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.step import Step, StepContext
from attent_tf.training.steps.supervised_terms import supervised_terms


class SupervisedStep(Step):
    """Trains the segmentor on labelled slices.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `segmentor`.
    """

    metric_names = ("segmentor", "cross_entropy", "dice", "entropy_source")

    def __init__(self, context: StepContext):
        super().__init__(context)
        self.segmentor = self.networks[SEGMENTOR]
        self.segmentor(tf.zeros((1, *context.image_shape)))
        heads = dict.fromkeys(("main_head", "aux_head"), self.config.head_rate_factor)
        self.segmentor_update = self.updating("segmentor", self._optimizer(), self.segmentor, rate_factors=heads)
        self._supervised_gradients = compiled(self._supervised_gradients, context.config.jit)

    def _optimizer(self):
        return self.config.segmentor

    @classmethod
    def check(cls, config: Config, task: Task, begun: bool) -> None:
        """Raises ConfigError where the backbone's first weights are wanted and cannot be found."""
        del task
        section = config.segmentation
        # A package is checked with the records, see `check_first_weights`.
        if not begun and section.weights != "none" and package_of(section.weights) is None:
            find_weights(section.weights, section.backbone)

    def begin(self) -> None:
        """Gives S its first weights where the configuration names some."""
        begin_segmentor(self.segmentor, self.context.config)

    def phase(self, step: int) -> tuple[str, int | None]:
        """Always `supervised`."""
        del step
        return "supervised", None

    def update(self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], *rest) -> dict[str, tf.Tensor]:
        """One update of S on images and labels."""
        del phase, step, rest
        gradients, metrics = run_and_sum(self.strategy, self._supervised_gradients, labelled)
        self.segmentor_update.apply(gradients)
        return metrics

    def _supervised_gradients(self, images, labels, *weighing):
        with tf.GradientTape() as tape:
            source = self.segmentor(images, training=True)
            loss, metrics = self._terms(source, labels, *weighing)
            scaled = self.segmentor_update.scaled(loss)
        return tape.gradient(scaled, self.segmentor_update.variables_updated), {"segmentor": loss, **metrics}

    def _terms(self, source, labels):
        return supervised_terms(self.config, source, labels, self.share)

    def panel(self, labelled: np.ndarray, target: np.ndarray | None = None) -> Callable[[], dict[str, tf.Tensor]]:
        """Image, predicted classes and entropy, for labelled and for target slices."""
        return SegmentationPanel(self.segmentor, labelled, target)
