"""Mixed precision: networks compute in 16 bits, keep their weights in float32, and judge in float32.

Heads, softmax, entropy and losses are float32 whatever the policy (`attent_tf.models`, `attent_tf.losses`). bfloat16 has
float32's range and needs nothing else; float16 needs its loss scaled, or small gradients vanish.
"""

import contextlib
from collections.abc import Iterator

import keras
import tensorflow as tf

_LARGEST_SCALE = 2.0**24


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Networks that are made inside compute in `precision`, one of those of `Config`."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class LossScale(tf.Module):
    """The factor of a float16 loss: halved when gradients overflow, doubled after a long time without.

    Keras's `LossScaleOptimizer` decides by the gradients of replica 0 alone; here the caller decides by their sum over all
    replicas, which is not finite if any part of it is not.

    Make it in the scope of the strategy; `update` runs in cross-replica context.

    Args:
      initial: the first factor.
      growth_steps: updates without overflow after which the factor doubles.
    """

    def __init__(self, initial: float = 2.0**15, growth_steps: int = 2000):
        super().__init__(name="loss_scale")
        self._growth_steps = growth_steps
        self.value = tf.Variable(initial, trainable=False, name="value")
        self._good_steps = tf.Variable(0, dtype=tf.int64, trainable=False, name="good_steps")

    def update(self, finite: tf.Tensor) -> None:
        """Hears whether the gradients of a step were finite."""
        good = tf.where(finite, self._good_steps.read_value() + 1, 0)
        grow = good >= self._growth_steps
        scale = self.value.read_value()
        scale = tf.where(finite, tf.where(grow, 2.0 * scale, scale), 0.5 * scale)
        self.value.assign(tf.clip_by_value(scale, 1.0, _LARGEST_SCALE))
        self._good_steps.assign(tf.where(grow, tf.zeros_like(good), good))

    def stored(self) -> list[tf.Variable]:
        """Returns what a checkpoint holds."""
        return [self.value, self._good_steps]
