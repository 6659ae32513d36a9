"""Alignment watched without labels: S gets back what it was before an alignment that makes it lose structures of the target.

An aligner can be content with a segmentor that is sure of background everywhere. What it then loses shows in how much of each
structure S finds in target slices, beside how much the source's labels hold.
"""

import numpy as np
import tensorflow as tf

from attent_tf.methods import Stage
from attent_tf.progress import Observer
from attent_tf.runs import Run, describe_stage
from attent_tf.signs import count_structures, even_choice, share_distance
from attent_tf.training.steps.warmed_up import WarmedUpStep
from attent_tf.training.strategies import mean_of_workers, worker_index

_BATCH = 16
_MOST_SLICES = 128


class AlignmentWatch:
    """Looks at S at intervals from the end of the warm-up on (a `training.loop.Renewal`).

    The first look measures S before any alignment. A later one that finds shares of structures further from the source's than
    `aligner_watch_tolerance` beyond the first gives S the weights of the look before, and what is left of the stage is trained
    on labels alone. The distance is that of `attent_tf.signs.share_distance`.

    Args:
      run: whose stage it is.
      stage: the stage with alignment.
      inner: its step, which keeps the weights of the last good look.
      images: [slices, size, size, channels] of the target, as deployed; at most 128 of them, evenly chosen, are looked at.
      source_labels: [slices, size, size] class indices.
      strategy: the strategy that `inner` was made under.
      observer: shows progress.
    """

    def __init__(
        self,
        run: Run,
        stage: Stage,
        inner: WarmedUpStep,
        images: np.ndarray,
        source_labels: np.ndarray,
        strategy: tf.distribute.Strategy,
        observer: Observer,
    ):
        self._run, self._stage, self._inner = run, stage, inner
        self._images = images[even_choice(len(images), _MOST_SLICES)]
        self._num_classes = run.task.num_classes
        self._source = count_structures(source_labels, self._num_classes).shares
        self._strategy = strategy
        self._observer = observer
        self._labels = tf.function(self._labels, autograph=False, reduce_retracing=True)

    def next_time(self, position: int) -> int:
        """Returns the step of the next look after `position`."""
        warmup, every = self._inner.config.aligner_warmup_steps, self._inner.config.aligner_watch_every
        return warmup if position < warmup else warmup + ((position - warmup) // every + 1) * every

    def begin(self, position: int) -> bool:
        """Looks where `position` is the time for it; the stage always goes on."""
        if self.next_time(position - 1) == position:
            self._look(position)
        return True

    def finish(self, position: int) -> None:
        """Looks at what the stage ends with."""
        if position > self._inner.config.aligner_warmup_steps:
            self._look(position, last=True)

    def _look(self, position: int, last: bool = False) -> None:
        state = self._inner.watched
        if state.stopped:
            return
        distance = mean_of_workers(self._strategy, share_distance(self._shares(), self._source))
        if position == self._inner.config.aligner_warmup_steps:
            state.begin(distance)
        if distance <= state.limit:
            state.keep(position)
            return
        line = (
            f"{self._stage.title}: alignment was stopped at step {position}, because S loses structures of the target (mean "
            f"|ln share / share in source labels| {distance:.2f}, limit {state.limit:.2f}); S is what it was at step "
            f"{state.kept_at}" + ("" if last else ", and learns from labels alone from there on")
        )
        state.stop()
        if worker_index(self._strategy) == 0:
            describe_stage(self._run, self._stage.id, refused=line)
            self._observer.say(f"Warning: {line}")

    def _shares(self):
        starts = range(0, len(self._images), _BATCH)
        labels = [self._labels(tf.constant(self._images[start : start + _BATCH])).numpy() for start in starts]
        return count_structures(np.concatenate(labels), self._num_classes).shares

    def _labels(self, images):
        return tf.argmax(self._inner.segmentor(images, training=False).main, axis=-1, output_type=tf.int32)
