"""What steps of S that learn from both domains have in common: a warm-up on labelled slices alone."""

import tensorflow as tf

from attent_tf.training.steps.supervised import SupervisedStep


class WarmedUpStep(SupervisedStep):
    """The segmentor on labelled slices and, after the warm-up, on target slices too, as subclasses say in `adapt`.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: of a stage with `segmentor`, whose inputs are labelled slices and target slices.
    """

    def phase(self, step: int) -> tuple[str, int | None]:
        """`supervised` as long as the warm-up lasts, then `aligned`."""
        if step < self.config.aligner_warmup_steps:
            return "supervised", self.config.aligner_warmup_steps
        return "aligned", None

    def update(
        self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """One update of S on labelled slices alone or, when `phase` is `aligned`, one of the whole method."""
        if phase == "supervised":
            metrics = super().update(phase, step, labelled)
            return {name: metrics.get(name, tf.constant(0.0)) for name in self.metric_names}
        return self.adapt(labelled, x_t)

    def adapt(self, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update on labelled and target slices; arguments and result as `update`."""
        raise NotImplementedError
