"""Optimisers; each network has its own."""

import dataclasses
from typing import Literal

from attent_tf.configs.sections.fields import at_least_1


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
    """An optimiser and its learning rate.

    Attributes:
      kind: `adam`, `sgd` or `rmsprop`.
      learning_rate: learning rate at the start.
      beta_1: decay of the first moment of Adam.
      beta_2: decay of the second moment of Adam.
      momentum: momentum of SGD.
      weight_decay: factor of the L2 penalty ½‖w‖² of kernels, which is added to their gradients.
      decay: how the rate falls: `linear` to 0 after `decay_from`, `poly` (1 − step / steps)^`decay_power`, or `exponential`.
      decay_from: for `linear`: share of the stage's steps after which the rate falls; 1 keeps it constant.
      decay_power: for `poly`: the exponent in that formula.
      decay_steps: for `poly`: `steps` in that formula, if a schedule goes beyond the stage's end; 0 for the stage's own steps.
      decay_every: for `exponential`: steps after which the rate is multiplied by `decay_factor`.
      decay_factor: for `exponential`: the factor.
      clip_norm: largest norm of the whole gradient, summed over devices; 0 turns clipping off.
    """

    kind: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: float = 2e-4
    beta_1: float = 0.9
    beta_2: float = 0.999
    momentum: float = 0.0
    weight_decay: float = 0.0
    decay: Literal["linear", "poly", "exponential"] = "linear"
    decay_from: float = 1.0
    decay_power: float = 0.9
    decay_steps: int = 0
    decay_every: int = at_least_1(100)
    decay_factor: float = 0.98
    clip_norm: float = 0.0
