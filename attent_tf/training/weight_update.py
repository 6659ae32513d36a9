"""From the gradients of every replica to one update of the weights.

Order: summed over replicas, unscaled, checked, clipped, decayed, applied. Keras's own optimizers clip each replica's part before
the sum, and decide on an overflow by the first replica alone.
"""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from attent_tf.configs import OptimizerConfig
from attent_tf.runs.networks import stored
from attent_tf.training.optimizers import make_optimizer
from attent_tf.training.precision import LossScale


class WeightUpdate(tf.Module):
    """The optimizer of one loss, with its loss scale where the precision asks for one.

    Make it in the scope of the strategy.

    Args:
      config: of the optimizer.
      steps: number of updates in all, for the learning rate.
      variables: that are updated.
      precision: see `attent_tf.training.precision`.
      rate_factors: of each variable, its learning rate as a multiple of the optimizer's; empty for 1 throughout.
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
        self.optimizer = make_optimizer(config, steps, self._having(1.0, variables))
        # Optimizers of their own, since Adam would see nothing of a gradient that is multiplied by a factor.
        self._others = [
            (factor, make_optimizer(_hastened(config, factor), steps, self._having(factor, variables)))
            for factor in dict.fromkeys(self._factors)
            if factor != 1.0
        ]
        self.loss_scale = LossScale() if precision == "mixed_float16" else None

    def state(self) -> list[tf.Variable]:
        """Returns what a checkpoint holds."""
        optimizers = (self.optimizer, *(optimizer for _, optimizer in self._others))
        moments = [variable for optimizer in optimizers for variable in stored(optimizer)]
        return moments + (self.loss_scale.stored() if self.loss_scale else [])

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
            self._run(gradients)
            return
        summed = [self._strategy.reduce("SUM", gradient, axis=None) for gradient in gradients]
        if self.loss_scale is None:
            self._apply_summed(summed)
            return
        summed = [gradient / self.loss_scale.value for gradient in summed]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in summed])
        tf.cond(finite, lambda: self._apply_summed(summed), lambda: None)
        self.loss_scale.update(finite)

    def _apply_summed(self, summed):
        if self._clip_norm:
            summed, _ = tf.clip_by_global_norm(summed, self._clip_norm)
        # The optimizer sums over replicas.
        self._run([gradient / self._strategy.num_replicas_in_sync for gradient in summed])

    def _decayed(self, gradients):
        """Adds the gradient of the L2 penalty of kernels, one replica's share of it, after any clipping."""
        if not self._weight_decay:
            return gradients
        factor = self._weight_decay / self._strategy.num_replicas_in_sync
        return [
            gradient + factor * variable if len(variable.shape) > 1 else gradient
            for gradient, variable in zip(gradients, self.variables_updated, strict=True)
        ]

    def _run(self, gradients):
        def apply(*parts):
            # A copy of its own for each replica: one tensor that all share cannot be summed.
            copies = [tf.identity(part) for part in self._decayed(parts)]
            for factor, optimizer in ((1.0, self.optimizer), *self._others):
                optimizer.apply(self._having(factor, copies), self._having(factor, self.variables_updated))

        self._strategy.run(apply, args=tuple(gradients))

    def _having(self, factor, values):
        """Those of `values`, one for each variable, whose variable has that factor."""
        return [value for value, own in zip(values, self._factors, strict=True) if own == factor]


def _hastened(config, factor):
    return dataclasses.replace(config, learning_rate=factor * config.learning_rate)
