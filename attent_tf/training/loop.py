"""The outer loop: steps, checkpoints, history, TensorBoard. Only the inner step is inside `tf.function`."""

import contextlib
import dataclasses
import math
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import tensorflow as tf

from attent_tf.counting import counted
from attent_tf.data.batches import Share
from attent_tf.errors import RunError
from attent_tf.progress import Observer
from attent_tf.training.checkpoints import Checkpoints
from attent_tf.training.history import History
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.strategies import worker_index
from attent_tf.training.weight_update import WeightUpdate

# What a shell reports for a program that SIGTERM ended.
_EXIT_TERMINATED = 143


class InnerStep(Protocol):
    """What the outer loop asks of a `training.steps.step.Step`."""

    metric_names: tuple[str, ...]
    weight_updates: dict[str, WeightUpdate]
    image_pools: dict[str, ImagePool]

    def state(self) -> dict[str, Any]: ...

    def phase(self, step: int) -> tuple[str, int | None]: ...

    def update(self, phase: str, step: tf.Tensor, *batch) -> dict[str, tf.Tensor]: ...

    def follow(self, step: tf.Tensor) -> None: ...


class Renewal(Protocol):
    """What a stage does at times that it sets itself, to the slices that it is shown or to its networks."""

    def next_time(self, position: int) -> int:
        """Returns the first step after `position` at which `begin` is to be called."""
        ...

    def begin(self, position: int) -> bool:
        """Prepares the steps from `position` on, the stage's first or one that it goes on at; False ends the stage there."""
        ...

    def finish(self, position: int) -> None:
        """Is called after the stage's last step, before its weights are saved."""
        ...


# Of a global step, makes a function of a share that makes its batches from then on; what shares have in common is made once.
MakeData = Callable[[int], Callable[[Share], tf.data.Dataset]]


@dataclasses.dataclass(frozen=True)
class StagePlan:
    """How long a stage runs and how often it reports.

    Attributes:
      title: the title for people.
      folder: the folder of the stage, in the run folder.
      steps: in all.
      log_every, checkpoint_every, panel_every: in steps; 0 panels means none.
    """

    title: str
    folder: Path
    steps: int
    log_every: int
    checkpoint_every: int
    panel_every: int


def run_stage(
    plan: StagePlan,
    inner: InnerStep,
    step: tf.Variable,
    make_data: MakeData,
    strategy: tf.distribute.Strategy,
    observer: Observer,
    draw_panel: Callable[[], dict[str, tf.Tensor]],
    renewal: Renewal | None = None,
) -> None:
    """Trains one stage to its end, from its newest checkpoint if it has one.

    Args:
      plan: how long, and how often to report.
      inner: the update.
      step: [] int64 variable that counts updates, made in the strategy's scope.
      make_data: makes the batches, one replica's after the other's; elements are tuples for `inner.update`.
      strategy: the strategy that `inner` was made under.
      observer: shows progress.
      draw_panel: makes a fixed panel, images by name, for TensorBoard.
      renewal: the renewal of slices or networks, before `make_data` is called anew; None if nothing changes on the way.

    Raises:
      RunError: a loss is not finite, or the checkpoints cannot be used. The last good checkpoint is kept.
      SystemExit: SIGTERM came; a checkpoint was saved first.
    """
    worker = worker_index(strategy)
    checkpoints = Checkpoints(
        plan.folder / "checkpoints", step, inner.state(), inner.image_pools, observer.say, writes=worker == 0
    )
    if checkpoints.restore() and step.numpy() < plan.steps:
        observer.say(f"{plan.title}: goes on at step {step.numpy()} of {plan.steps}")
    start = int(step.numpy())
    if start >= plan.steps:
        observer.say(f"{plan.title}: complete ({counted(plan.steps, 'step')})")
        return
    names = _reported(inner)
    history = History(plan.folder / "history.csv", names, start) if worker == 0 else None
    train = _compile(inner, step)
    with (
        _summaries(plan.folder / "events" if worker == 0 else None).as_default(),
        observer.stage(plan.title, plan.steps, start) as bar,
        _termination_noted() as terminated,
    ):
        position, data, renewed_at = start, None, start
        while position < plan.steps:
            if position == renewed_at:
                if renewal and not renewal.begin(position):
                    step.assign(plan.steps)
                    checkpoints.save()
                    return
                renewed_at = renewal.next_time(position) if renewal else plan.steps
                data = replica_batches(position, make_data, strategy)
            phase, phase_end = inner.phase(position)
            stop = min(_next_multiple(position, plan.log_every), phase_end or plan.steps, plan.steps)
            stop = min(stop, renewed_at)
            values = {name: float(v) for name, v in train(phase, data, tf.constant(stop - position)).items()}
            _check_finite(values, plan, stop)
            bar.set_postfix_str(", ".join(f"{name} {values[name]:.3f}" for name in names[:3]))
            bar.update(stop - position)
            position = stop
            if history:
                history.append(position, values)
            _summarise(values, inner, position)
            if plan.panel_every and position % plan.panel_every == 0:
                for name, images in draw_panel().items():
                    tf.summary.image(name, images, step=position, max_outputs=images.shape[0])
            if renewal and position == plan.steps:
                renewal.finish(position)
            stopping = terminated.is_set() and position < plan.steps
            if position % plan.checkpoint_every == 0 or position == plan.steps or stopping:
                _check_weights(inner, plan, position)
                checkpoints.save()
            if stopping:
                observer.say(f"{plan.title}: stopped by SIGTERM at step {position} of {plan.steps}, which is saved")
                raise SystemExit(_EXIT_TERMINATED)


def replica_batches(position: int, make_data: MakeData, strategy: tf.distribute.Strategy) -> Iterator[Any]:
    """Makes the iterator over what this worker's replicas take in each step.

    Args:
      position: the first step.
      make_data: makes the batches, as for `run_stage`.
      strategy: the strategy of the replicas.

    Returns:
      An iterator whose elements `strategy.run` takes.
    """
    # The iterator that a strategy makes of one pipeline for several replicas has pipelines of its own, which tune themselves
    # whatever that one's options say, and letting it go may wait a minute for that (`batches`). So each replica has its own.
    share = Share.of_worker(worker_index(strategy), strategy)
    with tf.device("CPU:0"):
        make = make_data(position)
        if share.count == 1:
            return iter(make(share))
        if share.count < share.replicas:
            # Strategies of several machines cannot make one pipeline a replica.
            return iter(strategy.distribute_datasets_from_function(lambda _: make(share)))
        return iter(
            strategy.distribute_datasets_from_function(
                lambda context: make(Share(share.replicas, context.input_pipeline_id, 1)),
                tf.distribute.InputOptions(
                    experimental_fetch_to_device=False,
                    experimental_replication_mode=tf.distribute.InputReplicationMode.PER_REPLICA,
                ),
            )
        )


@contextlib.contextmanager
def _termination_noted() -> Iterator[threading.Event]:
    """Yields an event that SIGTERM sets, so that the interval of steps that is under way can end and be saved."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)


def _compile(inner, step):
    """Returns a function of (phase, iterator, count) that runs `count` updates and returns their mean metrics."""
    scales = {
        f"loss_scale_{name}": update.loss_scale for name, update in inner.weight_updates.items() if update.loss_scale
    }

    # AutoGraph is for the loop alone: what the loop calls needs none, and is traced sooner as it stands.
    update, follow = (tf.autograph.experimental.do_not_convert(function) for function in (inner.update, inner.follow))

    @tf.function
    def train(phase, iterator, count):
        totals = {name: tf.constant(0.0) for name in inner.metric_names}
        for _ in tf.range(count):
            position = step.read_value()
            metrics = update(phase, position, *next(iterator))
            follow(position)
            step.assign_add(1)
            totals = {name: totals[name] + metrics[name] for name in inner.metric_names}
        means = {name: total / tf.cast(count, tf.float32) for name, total in totals.items()}
        return {**means, **{name: scale.value.read_value() for name, scale in scales.items()}}

    return train


def _reported(inner):
    scales = (f"loss_scale_{name}" for name, update in inner.weight_updates.items() if update.loss_scale)
    return (*inner.metric_names, *scales)


def _summaries(folder):
    return tf.summary.create_noop_writer() if folder is None else tf.summary.create_file_writer(str(folder))


def _summarise(values, inner, step):
    for name, value in values.items():
        tf.summary.scalar(name, value, step=step)
    for name, update in inner.weight_updates.items():
        tf.summary.scalar(
            f"learning_rate_{name}", float(tf.convert_to_tensor(update.optimizer.learning_rate)), step=step
        )


def _next_multiple(position, interval):
    return (position // interval + 1) * interval


def _check_finite(values, plan, step):
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if wrong:
        raise RunError(
            f"{plan.folder}: {', '.join(wrong)} not finite by step {step}; the last good checkpoint is kept, lower the "
            "learning rate or use float32"
        )


def _check_weights(inner, plan, step):
    """An update may spoil the weights after the last loss was looked at; a checkpoint of them would be of no use."""
    wrong = [name for name, update in inner.weight_updates.items() if not _finite(update.variables_updated)]
    if wrong:
        raise RunError(
            f"{plan.folder}: weights of {', '.join(wrong)} not finite at step {step}; the last good checkpoint is kept, lower "
            "the learning rate or use float32"
        )


def _finite(variables):
    return all(bool(tf.reduce_all(tf.math.is_finite(variable))) for variable in variables)
