"""Optimisers and how their learning rates fall."""

import keras
import tensorflow as tf

from attent_tf.configs import OptimizerConfig


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
    """Makes the optimiser for `steps` updates and creates its moments for `variables`.

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
