"""SynSeg-Net: translators and segmentor end to end (Huo et al., IEEE TMI 2019).

One optimiser holds both generators and S, so that a translation is paid for by what S finds in it as well. The weighted
cross-entropy is a mean over pixels; the authors divide by the sum of the weights.
"""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import Config
from attent_tf.errors import ConfigError
from attent_tf.methods import SEGMENTOR
from attent_tf.tasks import Task
from attent_tf.training.first_weights import begin_segmentor
from attent_tf.training.panels import SegmentationPanel
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.cyclegan import CycleGanStep
from attent_tf.training.steps.step import StepContext
from attent_tf.training.steps.supervised import SupervisedStep
from attent_tf.training.steps.supervised_terms import mean_entropy, supervised_terms


class SynSegStep(CycleGanStep):
    """Both generators and the segmentor together, then the image discriminator of each domain.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with the networks of a CycleGAN and `segmentor`.
    """

    def __init__(self, context: StepContext):
        super().__init__(context, trained_along=(SEGMENTOR,))
        self.segmentor = self.networks[SEGMENTOR]
        self._joint_gradients = compiled(self._joint_gradients, context.config.jit)
        self.metric_names = (
            *self.metric_names,
            "segmentor",
            "cross_entropy",
            "dice",
            "entropy_source",
            "entropy_target",
        )

    @classmethod
    def check(cls, config: Config, task: Task, begun: bool) -> None:
        """Raises ConfigError where generators or S lack what they need, or weights are of another number of classes."""
        super().check(config, task, begun)
        SupervisedStep.check(config, task, begun)
        weights = config.synseg.class_weights
        if weights and len(weights) != task.num_classes:
            raise ConfigError(
                f"configuration key synseg.class_weights: expected {task.num_classes} numbers, of {', '.join(task.class_names)}, "
                f"or none for the task's own, found {weights}"
            )

    def begin(self) -> None:
        """Gives S its first weights where the configuration names some."""
        begin_segmentor(self.segmentor, self.context.config)

    def update(
        self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One update of the generators and S, then one of each discriminator."""
        anchored = phase == "anchored"
        gradients, fake_s, fake_t, metrics = run_and_sum(
            self.strategy, lambda x, y, t: self._joint_gradients(x, y, t, anchored), (*labelled, x_t)
        )
        self.generators.apply(gradients)
        return {**metrics, **self.judge(step, labelled[0], x_t, fake_s, fake_t)}

    def _joint_gradients(self, x_s, labels, x_t, anchored):
        with tf.GradientTape() as tape:
            translation, fake_s, fake_t, metrics = self.translate(x_s, x_t, anchored)
            # In target style, since S is used on the target as it is.
            found = self.segmentor(fake_t, training=True)
            segmentation, parts = supervised_terms(
                self.context.config.segmentation, found, labels, self.share, self._cross_entropy
            )
            loss = translation + self.config.segmentation_weight * segmentation
            scaled = self.generators.scaled(loss)
        gradients = tape.gradient(scaled, self.generators.variables_updated)
        entropy = self.share(mean_entropy(self.segmentor(x_t, training=False).main))
        metrics = {"generator": loss, **metrics, "segmentor": segmentation, **parts, "entropy_target": entropy}
        return gradients, fake_s, fake_t, metrics

    @property
    def _cross_entropy(self):
        weights = tf.constant(self.config.class_weights or self.context.task.class_weights, tf.float32)
        return functools.partial(losses.weighted_cross_entropy_loss, class_weights=weights)

    def panel(self, source: np.ndarray, target: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Translations both ways, and what S finds in slices of either domain as they are."""
        translated, segmented = super().panel(source, target), SegmentationPanel(self.segmentor, source, target)
        return lambda: {**translated(), **segmented()}
