"""Self-training: S on labelled source slices and on target slices that its running average, the teacher, labels."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import Config
from attent_tf.errors import ConfigError
from attent_tf.methods import SEGMENTOR, TEACHER
from attent_tf.models import SegmentorOutput
from attent_tf.tasks import Task
from attent_tf.training.panels import SegmentationPanel
from attent_tf.training.pseudo_labels import LEVELS
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.step import Step, StepContext
from attent_tf.training.steps.supervised_terms import supervised_terms

# Codes of labels are bytes.
_CODES = 256


class SelfTrainingStep(Step):
    """Trains the segmentor on labelled slices and on target slices that its running average labels.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `segmentor` and `teacher`.
    """

    metric_names = (
        "segmentor",
        "cross_entropy",
        "dice",
        "entropy_source",
        "cross_entropy_target",
        "dice_target",
        "entropy_target",
        "ramp",
    )

    def __init__(self, context: StepContext):
        super().__init__(context)
        self.labelling = self.config.labels
        self.segmentor, self.teacher = self.networks[SEGMENTOR], self.networks[TEACHER]
        for network in (self.segmentor, self.teacher):
            network(tf.zeros((1, *context.image_shape)))
        self.segmentor_update = self.updating("segmentor", self.config.segmentor, self.segmentor)
        # By level of a code: sure, doubted, ignored.
        self._weights = (1.0, self.config.labels.disagreement_weight, 0.0)
        self._gradients = compiled(self._gradients, context.config.jit)

    @classmethod
    def check(cls, config: Config, task: Task, begun: bool) -> None:
        """Raises ConfigError where the task has more classes than codes of labels hold."""
        del config, begun
        if LEVELS * task.num_classes > _CODES:
            raise ConfigError(
                f"self-training: expected at most {_CODES // LEVELS - 1} structures, the task {task.name} has "
                f"{len(task.structures)}; choose another method"
            )

    def update(
        self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], guessed: tuple[tf.Tensor, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """One update of S on labelled slices, and on target slices with codes of `attent_tf.training.pseudo_labels`."""
        del phase
        ramp = self.ramp(step)
        gradients, metrics = run_and_sum(self.strategy, self._gradients, (*labelled, *guessed, ramp))
        self.segmentor_update.apply(gradients)
        return {**metrics, "ramp": ramp}

    def ramp(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the weight of the target's loss at `step`: exp(−5 (1 − k / K)²) of the whole until step K, then the whole."""
        until = self.config.ramp_until * self.context.steps
        left = tf.maximum(0.0, 1.0 - tf.cast(step, tf.float32) / until) if until else tf.constant(0.0)
        return self.config.target_weight * tf.exp(-5.0 * left**2)

    def _gradients(self, x_s, y_s, x_t, codes, ramp):
        section = self.context.config.segmentation
        codes, num_classes = tf.cast(codes, tf.int32), self.context.task.num_classes
        classes, level = codes % num_classes, codes // num_classes
        weights = tf.gather(tf.constant(self._weights), level)
        with tf.GradientTape() as tape:
            # One pass, so that batch norms take their statistics from both domains, as the kept ones are of both.
            output = self.segmentor(tf.concat([x_s, x_t], axis=0), training=True)
            source, target = (
                SegmentorOutput(output.main[part], output.aux[part], output.features[part])
                for part in (slice(None, x_s.shape[0]), slice(x_s.shape[0], None))
            )
            supervised, metrics = supervised_terms(section, source, y_s, self.share)
            guessed, target_metrics = supervised_terms(
                section,
                target,
                classes,
                self.share,
                functools.partial(losses.cross_entropy_loss, weights=weights),
                functools.partial(losses.dice_loss, kept=weights > 0),
            )
            loss = supervised + ramp * guessed
            scaled = self.segmentor_update.scaled(loss)
        metrics = {
            "segmentor": loss,
            **metrics,
            "cross_entropy_target": target_metrics["cross_entropy"],
            "dice_target": target_metrics["dice"],
            "entropy_target": target_metrics["entropy_source"],
        }
        return tape.gradient(scaled, self.segmentor_update.variables_updated), metrics

    def panel(self, labelled: np.ndarray, target: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Image, classes that the teacher predicts, and entropy, for labelled and for target slices."""
        return SegmentationPanel(self.teacher, labelled, target)
