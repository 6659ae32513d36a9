"""Optimisers and how their learning rates fall."""

import functools
from collections.abc import Sequence

import keras
import tensorflow as tf

from attent_tf.configs import OptimizerConfig
from attent_tf.runs.networks import stored


@keras.saving.register_keras_serializable("attent_tf")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is constant at first and then falls linearly to zero, as CycleGAN's does.

    Args:
      learning_rate: at the start.
      steps: number of steps in all.
      decay_from: share of the steps after which the rate falls; it would reach 0 one step after the last.
    """

    def __init__(self, learning_rate: float, steps: int, decay_from: float):
        self.learning_rate = learning_rate
        self.steps = steps
        self.decay_from = decay_from

    def __call__(self, step):
        start = self.steps * self.decay_from
        left = (self.steps - tf.cast(step, tf.float32)) / max(self.steps - start, 1.0)
        return self.learning_rate * tf.clip_by_value(left, 0.0, 1.0)

    def get_config(self):
        return {"learning_rate": self.learning_rate, "steps": self.steps, "decay_from": self.decay_from}


def make_optimizer(config: OptimizerConfig, steps: int, variables: list) -> keras.optimizers.Optimizer:
    """Makes the optimiser for `steps` updates and creates its moments for `variables`; `descend` does its updates.

    An optimizer that is not built before the step is traced fails under a distribution strategy.
    """
    rate = _learning_rate(config, steps)
    if config.kind == "sgd":
        optimizer = keras.optimizers.SGD(rate, momentum=config.momentum)
    elif config.kind == "rmsprop":
        optimizer = keras.optimizers.RMSprop(rate)
    else:
        optimizer = keras.optimizers.Adam(rate, beta_1=config.beta_1, beta_2=config.beta_2)
    optimizer.build(variables)
    return optimizer


def descend(
    strategy: tf.distribute.Strategy,
    optimizer: keras.optimizers.Optimizer,
    gradients: Sequence,
    variables: Sequence[keras.Variable],
    rate_factors: Sequence[float],
    weight_decay: float,
) -> None:
    """Does one update of variables, as the optimiser's `apply` would; call it in cross-replica context.

    Args:
      strategy: the strategy that everything was made under.
      optimizer: made for `variables`, in this order.
      gradients: the gradient of each variable, summed over replicas.
      variables: the variables that are updated.
      rate_factors: for each variable, its learning rate as a multiple of the optimiser's.
      weight_decay: λ; the gradient of the L2 penalty λ/2 ‖w‖² of each kernel is added to its own.
    """
    rate = tf.convert_to_tensor(optimizer.learning_rate)
    moments, constants = [()] * len(variables), {}
    if isinstance(optimizer, keras.optimizers.Adam):
        rate *= _bias_correction(optimizer)
        # Keras keeps the first and the second moment of each variable in turn, after its own counter and rate.
        kept = stored(optimizer)[len(optimizer.variables) - 2 * len(variables) :]
        moments = list(zip(kept[::2], kept[1::2], strict=True))
        constants = _adam_constants(optimizer)
    for variable, gradient, factor, own in zip(variables, gradients, rate_factors, moments, strict=True):
        decay = weight_decay if len(variable.shape) > 1 else 0.0
        update = functools.partial(_update, optimizer, decay, rate if factor == 1.0 else factor * rate, constants)
        # Each replica's copy is updated by itself, with its own copies of gradient and moments.
        strategy.extended.update(variable.value, update, args=(gradient, *own), group=False)
    optimizer.iterations.assign_add(1)


def _adam_constants(optimizer):
    # As tensors that all updates share: each would make its own. Keras's correction of the bias is left out, `rate` is corrected.
    values = {
        "beta1_power": 0.0,
        "beta2_power": 0.0,
        "beta1": optimizer.beta_1,
        "beta2": optimizer.beta_2,
        "epsilon": optimizer.epsilon,
    }
    return {name: tf.constant(value, tf.float32) for name, value in values.items()}


def _update(optimizer, decay, rate, constants, weights, gradient, *moments):
    slope = gradient + decay * weights if decay else gradient
    if not moments:
        optimizer.update_step(slope, weights, rate)
        return
    first, second = moments
    # One operation where Keras takes twenty.
    tf.raw_ops.ResourceApplyAdam(var=weights.handle, m=first.handle, v=second.handle, lr=rate, grad=slope, **constants)


def _bias_correction(optimizer):
    """sqrt(1 − β₂ᵗ) / (1 − β₁ᵗ) of the update t that comes next, from 1 on."""
    update = tf.cast(optimizer.iterations + 1, tf.float32)
    return tf.sqrt(1.0 - optimizer.beta_2**update) / (1.0 - optimizer.beta_1**update)


def _learning_rate(config, steps):
    schedules = keras.optimizers.schedules
    if config.decay == "poly":
        until = config.decay_steps or steps
        return schedules.PolynomialDecay(config.learning_rate, until, end_learning_rate=0.0, power=config.decay_power)
    if config.decay == "exponential":
        return schedules.ExponentialDecay(config.learning_rate, config.decay_every, config.decay_factor, staircase=True)
    if config.decay_from < 1.0:
        return ConstantThenLinear(config.learning_rate, steps, config.decay_from)
    return config.learning_rate
