"""What a trained segmentor takes from target slices: labels of its own, or statistics."""

import dataclasses

from attent_tf.configs.sections.fields import at_least_1
from attent_tf.configs.sections.optimizer import OptimizerConfig


@dataclasses.dataclass(frozen=True)
class PseudoLabelConfig:
    """How a running average of S labels target slices, and which of its labels count (`attent_tf.training.pseudo_labels`).

    Attributes:
      every: steps after which all target slices are labelled again.
      first_quantile: quantile of a structure's probabilities where it was found: pixels below it do not count; for the
      first labels.
      quantile: likewise for later labels.
      least_probability: pixels where a structure is less probable than this do not count, whatever the quantile.
      background_probability: likewise for background.
      disagreement_weight: weight of pixels that the deployed paths label differently.
      gamma: if there is one path, its labels of x^gamma, x in [0, 1], are the second opinion; 1 for none.
      least_agreement: a volume is left out if its labels by two paths, or from both grey values, have a smaller mean Dice.
      least_share: a volume is left out if a structure's share of all labelled voxels, as a multiple of its mean share in
        source labels, is smaller.
      largest_share: likewise if it is larger.
      least_volumes: if a smaller share of the target volumes remains, the stage ends with the weights that it began with.
    """

    every: int = at_least_1(1000)
    first_quantile: float = 0.3
    quantile: float = 0.2
    least_probability: float = 0.5
    background_probability: float = 0.9
    disagreement_weight: float = 0.5
    gamma: float = 1.0
    least_agreement: float = 0.7
    least_share: float = 0.333
    largest_share: float = 3.0
    least_volumes: float = 0.25


@dataclasses.dataclass(frozen=True)
class SelfTrainingConfig:
    """Self-training: S goes on training on labelled source slices and on target slices that its running average labels.

    Attributes:
      steps: number of updates of S; 0 means `epochs`.
      epochs: passes over the labelled slices in all their views, when `steps` is 0.
      batch_size: slices of each domain per step, over all devices.
      teacher_decay: decay of the running average, which is the plain mean until this decay is reached.
      target_weight: weight of the loss on target slices.
      ramp_until: share of the steps after which that loss has its full weight; before, the factor is exp(−5 (1 − k / K)²).
      labels: how target slices are labelled, see its class.
      segmentor: optimiser of S.
    """

    steps: int = 0
    epochs: int = 10
    batch_size: int = at_least_1(8)
    teacher_decay: float = 0.99
    target_weight: float = 1.0
    ramp_until: float = 0.25
    labels: PseudoLabelConfig = PseudoLabelConfig()
    segmentor: OptimizerConfig = OptimizerConfig(learning_rate=1e-4, decay_from=0.6)


@dataclasses.dataclass(frozen=True)
class StatisticsConfig:
    """Statistics of the target: batch norms of S take means and variances from target slices; its weights stay.

    Attributes:
      steps: number of batches that the mean is over; 0 means `epochs`.
      epochs: passes over the target slices, when `steps` is 0.
      batch_size: slices per step, over all devices.
    """

    steps: int = 0
    epochs: int = 2
    batch_size: int = at_least_1(16)
