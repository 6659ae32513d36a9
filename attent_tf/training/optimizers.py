"""Adam with a rate that is constant at first and then falls linearly to zero, as CycleGAN's does."""

import keras
import tensorflow as tf

from attent_tf.configs import OptimizerConfig


@keras.saving.register_keras_serializable("attent_tf")
class ConstantThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate as a function of the step.

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
    """Makes Adam for `steps` updates and creates its moments for `variables`.

    An optimizer that is not built before the step is traced fails under a distribution strategy.
    """
    rate = config.learning_rate
    if config.decay_from < 1.0:
        rate = ConstantThenLinear(config.learning_rate, steps, config.decay_from)
    optimizer = keras.optimizers.Adam(rate, beta_1=config.beta_1, beta_2=config.beta_2)
    optimizer.build(variables)
    return optimizer
