"""From the gradients of every replica to one update of the weights.

Order: summed over replicas, unscaled, checked, clipped, decayed, applied. Keras's own optimizers clip each replica's part before
the sum, and decide on an overflow by the first replica alone; and TensorFlow never frees a step that was traced with the sum
that they take, since its gradient is registered for the life of the process.
"""

from collections.abc import Sequence

import tensorflow as tf

from attent_tf.configs import OptimizerConfig
from attent_tf.runs.networks import stored
from attent_tf.training.optimizers import descend, make_optimizer
from attent_tf.training.precision import LossScale


class WeightUpdate(tf.Module):
    """The optimizer of one loss, with its loss scale where the precision asks for one.

    Make it in the scope of the strategy.

    Args:
      config: the configuration of the optimizer.
      steps: number of updates in all, for the learning rate.
      variables: the variables that are updated.
      precision: see `attent_tf.training.precision`.
      rate_factors: for each variable, its learning rate as a multiple of the optimizer's; empty for 1
      throughout.
    """

    def __init__(
        self,
        config: OptimizerConfig,
        steps: int,
        variables: list,
        precision: str = "float32",
        rate_factors: Sequence[float] = (),
    ):
        super().__init__(name="weight_update")
        self._strategy = tf.distribute.get_strategy()
        self._clip_norm = config.clip_norm
        self._weight_decay = config.weight_decay
        self.variables_updated = variables
        self._factors = tuple(rate_factors) or (1.0,) * len(variables)
        self.optimizer = make_optimizer(config, steps, variables)
        self.loss_scale = LossScale() if precision == "mixed_float16" else None

    def state(self) -> list[tf.Variable]:
        """Returns what a checkpoint holds."""
        return stored(self.optimizer) + (self.loss_scale.stored() if self.loss_scale else [])

    def scaled(self, loss: tf.Tensor) -> tf.Tensor:
        """Returns what is to be differentiated for `loss` [], the share of one replica; call it in replica context."""
        return loss if self.loss_scale is None else loss * self.loss_scale.value

    def apply(self, gradients: list) -> None:
        """Updates the weights, or where a float16 gradient overflowed on any replica, skips the step on all.

        Call it in cross-replica context.

        Args:
          gradients: of `scaled` losses by `variables_updated`, on every replica, as `strategy.run` returned them.
        """
        if self.loss_scale is None and not self._clip_norm:
            targets = [variable.value for variable in self.variables_updated]
            pairs = list(zip(gradients, targets, strict=True))
            self._descend(self._strategy.extended.batch_reduce_to("SUM", pairs))
            return
        summed = [self._strategy.reduce("SUM", gradient, axis=None) for gradient in gradients]
        if self.loss_scale is None:
            self._clip_and_descend(summed)
            return
        summed = [gradient / self.loss_scale.value for gradient in summed]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in summed])
        tf.cond(finite, lambda: self._clip_and_descend(summed), lambda: None)
        self.loss_scale.update(finite)

    def _clip_and_descend(self, summed):
        if self._clip_norm:
            summed, _ = tf.clip_by_global_norm(summed, self._clip_norm)
        self._descend(summed)

    def _descend(self, summed):
        descend(self._strategy, self.optimizer, summed, self.variables_updated, self._factors, self._weight_decay)
