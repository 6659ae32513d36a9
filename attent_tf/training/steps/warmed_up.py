"""What steps of S that learn from both domains have in common: a warm-up on labelled slices alone."""

from typing import Any

import keras
import tensorflow as tf

from attent_tf.runs.networks import stored
from attent_tf.training.steps.step import StepContext
from attent_tf.training.steps.supervised import SupervisedStep


class WatchedSegmentor(tf.Module):
    """S as it last was found good while it is aligned, and whether alignment was stopped (`training.alignment_watch`).

    All of it is in variables, so that checkpoints hold it.

    Args:
      segmentor: built.
      tolerance: by how much the distance of a look may exceed the first one's.
    """

    def __init__(self, segmentor: keras.Model, tolerance: float):
        super().__init__(name="watched")
        self._tolerance = tolerance
        self._followed = [variable for variable in stored(segmentor) if variable.dtype.is_floating]
        self._kept = [tf.Variable(variable, trainable=False) for variable in self._followed]
        self._kept_at = tf.Variable(-1, dtype=tf.int64, trainable=False)
        self._first_distance = tf.Variable(0.0, trainable=False)
        self._stopped = tf.Variable(0, dtype=tf.int64, trainable=False)

    @property
    def stopped(self) -> bool:
        """Whether alignment was stopped."""
        return bool(self._stopped.numpy())

    @property
    def kept_at(self) -> int:
        """The step whose weights are kept."""
        return int(self._kept_at.numpy())

    @property
    def limit(self) -> float:
        """The largest distance at which alignment goes on."""
        return float(self._first_distance.numpy()) + self._tolerance

    def begin(self, distance: float) -> None:
        """Takes the distance of the first look."""
        self._first_distance.assign(distance)

    def keep(self, step: int) -> None:
        """Keeps the weights of `step`."""
        for kept, variable in zip(self._kept, self._followed, strict=True):
            kept.assign(variable)
        self._kept_at.assign(step)

    def stop(self) -> None:
        """Gives S the weights that were kept; alignment is over."""
        for kept, variable in zip(self._kept, self._followed, strict=True):
            variable.assign(kept)
        self._stopped.assign(1)

    def state(self) -> list[tf.Variable]:
        """Returns what a checkpoint holds."""
        return [*self._kept, self._kept_at, self._first_distance, self._stopped]


class WarmedUpStep(SupervisedStep):
    """The segmentor on labelled slices and, after the warm-up, on target slices too, as subclasses say in `adapt`.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `segmentor`, whose inputs are labelled slices and target slices.

    Attributes:
      watched: what is kept of S where alignment is watched; None elsewhere.
    """

    def __init__(self, context: StepContext):
        super().__init__(context)
        tolerance = self.config.aligner_watch_tolerance
        self.watched = WatchedSegmentor(self.segmentor, tolerance) if self.config.aligner_watch_every else None

    def state(self) -> dict[str, Any]:
        """As of every step, and what is kept of S."""
        return {**super().state(), **({"watched": self.watched.state()} if self.watched else {})}

    def phase(self, step: int) -> tuple[str, int | None]:
        """`supervised` as long as the warm-up lasts and once alignment was stopped, `aligned` between these."""
        if self.watched and self.watched.stopped:
            return "supervised", None
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
