"""What all inner steps have in common."""

import dataclasses
import operator
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from attent_tf.configs import Config, PseudoLabelConfig
from attent_tf.methods import Stage, part_name
from attent_tf.models import draw_kernels
from attent_tf.runs.networks import make_part, stored
from attent_tf.tasks import Task
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.precision import computing_in
from attent_tf.training.running_average import RunningAverage
from attent_tf.training.weight_update import WeightUpdate


@dataclasses.dataclass(frozen=True)
class StepContext:
    """What a stage gives to its inner step.

    Attributes:
      stage: the stage.
      config: the configuration of the whole run.
      task: the task of the records.
      direction: a direction of the task, such as `mri2ct`.
      steps: number of updates in all, for schedules.
      channels: the number of channels of the images.
    """

    stage: Stage
    config: Config
    task: Task
    direction: str
    steps: int
    channels: int = 1

    @property
    def section(self) -> Any:
        """The stage's section of the configuration."""
        return getattr(self.config, self.stage.section)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images."""
        return (self.config.data.image_size, self.config.data.image_size, self.channels)


def make_step(
    stage: Stage, config: Config, task: Task, direction: str, steps: int | None = None, channels: int = 1
) -> "Step":
    """Makes the inner step of a stage, with networks that begin as the seed says; call it inside the scope of the strategy.

    Args:
      stage: a stage of a method.
      config: the configuration of the run.
      task: the task of the records.
      direction: a direction of the task, such as `mri2ct`.
      steps: number of updates in all, for schedules; those of the configuration if None.
      channels: the number of channels of the images.
    """
    steps = getattr(config, stage.section).steps if steps is None else steps
    step = step_class(stage)(StepContext(stage, config, task, direction, steps, channels), **dict(stage.options))
    for network in step.networks.values():
        draw_kernels(network, config.seed)
    return step


def step_class(stage: Stage) -> type["Step"]:
    """Returns the class of a stage's inner step."""
    return pkgutil.resolve_name(stage.step)


class Step(tf.Module):
    """The networks of a stage and their weight updates; subclasses say how they are updated together.

    Make it, and trace it, inside the scope of the strategy. A subclass takes what its stage's `options` name as further
    arguments, builds its networks by calling them, fills `self.weight_updates` and `self.image_pools`, and implements `update`.

    Args:
      context: from the stage.
    """

    # Scalars that `update` returns.
    metric_names: tuple[str, ...] = ()
    # How the slices are labelled that a network of the stage labels (`Slices.labelled_by`).
    labelling: PseudoLabelConfig | None = None

    def __init__(self, context: StepContext):
        super().__init__(name=context.stage.id)
        self.context = context
        self.config = context.section
        self.source, self.target = context.task.source_and_target(context.direction)
        self.global_batch_size = self.config.batch_size
        self.strategy = tf.distribute.get_strategy()
        with computing_in(context.config.precision):
            self.networks: dict[str, keras.Model] = {}
            for part in context.stage.parts:
                self.networks[part.role] = make_part(
                    part, context.config, context.task, context.direction, context.channels, self.networks
                )
        for part in context.stage.parts:
            network = self.networks[part.role]
            network.trainable = part.trained
            for layer in getattr(network, part.frozen_layers) if part.frozen_layers else ():
                # Of a batch norm this means running statistics as well, also in training.
                layer.trainable = False
        self._averages = [
            RunningAverage(
                self.networks[part.follows],
                self.networks[part.role],
                operator.attrgetter(part.decay)(context.config),
            )
            for part in context.stage.parts
            if part.follows
        ]
        self.weight_updates: dict[str, WeightUpdate] = {}
        self.image_pools: dict[str, ImagePool] = {}

    @classmethod
    def check(cls, config: Config, task: Task, begun: bool) -> None:
        """Looks for what would stop the stage, before a run folder is made and other stages are trained.

        Args:
          config: the configuration of the run.
          task: the task of the records.
          begun: whether the stage has a checkpoint.

        Raises:
          AttentError: something is missing.
        """

    def begin(self) -> None:
        """Gives networks the weights that they begin with where the stage has no checkpoint and weights are not random."""

    def begin_averages(self) -> None:
        """Makes networks that follow others copies of them, once these have the weights that they begin with."""
        for average in self._averages:
            average.begin()

    def follow(self, step: tf.Tensor) -> None:
        """Lets networks that follow others do so after the update of `step`; call it in cross-replica context."""
        for average in self._averages:
            average.update(step)

    def state(self) -> dict[str, Any]:
        """Returns all that an update changes, by name, for a checkpoint."""
        networks = {self.name_of(role): stored(network) for role, network in self.networks.items()}
        return {**networks, **{f"{name}_optimizer": update.state() for name, update in self.weight_updates.items()}}

    def phase(self, step: int) -> tuple[str, int | None]:
        """Returns the name of the update at `step` and the step at which another one begins (None: never)."""
        del step
        return "joint", None

    def update(self, phase: str, step: tf.Tensor, *batch: Any) -> dict[str, tf.Tensor]:
        """Does one update of every network; call it in cross-replica context.

        It is traced as it stands, without AutoGraph: what hangs on a tensor's value is for `tf.cond`, not for `if`.

        Args:
          phase: from `phase`.
          step: scalar int64.
          batch: each replica's slices, one argument for each of the stage's `inputs`: images [batch, height, width, channels]
            in [−1, 1], or pairs of them and labels [batch, height, width].

        Returns:
          Scalars by `metric_names`, means over the global batch.
        """
        raise NotImplementedError

    def panel(self, *images: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Returns what makes pictures for TensorBoard, by name.

        Args:
          images: [slices, size, size, channels] of each of the stage's `shown`.
        """
        del images
        return dict

    def name_of(self, role: str) -> str:
        """Returns what a network is called in the run folder."""
        return part_name(role, self.source, self.target)

    def share(self, per_example: tf.Tensor) -> tf.Tensor:
        """Returns one replica's share of a mean over the global batch: gradients and metrics are summed over replicas."""
        return tf.reduce_sum(per_example) / self.global_batch_size

    def updating(
        self, name: str, optimizer: Any, *networks: keras.Model, rate_factors: Mapping[str, float] | None = None
    ) -> WeightUpdate:
        """Makes the weight update of networks by one optimizer, and keeps it under a name.

        Args:
          name: for checkpoints, history and TensorBoard.
          optimizer: an `OptimizerConfig`.
          networks: built; frozen ones have nothing to update.
          rate_factors: learning rate, as a multiple of the optimizer's, of all that lies in a layer of that name; 1 elsewhere.
        """
        # Once each, should networks share some.
        variables = list(
            {id(variable): variable for network in networks for variable in network.trainable_variables}.values()
        )
        factors = [_factor(variable, rate_factors or {}) for variable in variables]
        update = WeightUpdate(optimizer, self.context.steps, variables, self.context.config.precision, factors)
        self.weight_updates[name] = update
        return update


def _factor(variable, rate_factors):
    """The variable's path is `NETWORK/LAYER/…/NAME`."""
    return next((factor for layer, factor in rate_factors.items() if layer in variable.path.split("/")), 1.0)
