"""A gate: whether an update is worth doing, by how its latest measure stands."""

import tensorflow as tf


class Gate(tf.Module):
    """Is open while the mean of the latest values exceeds a threshold; shut before there are any.

    Make it in the scope of the strategy, and call it in cross-replica context.

    Args:
      threshold: to be exceeded.
      window: number of values that the mean is over.
    """

    def __init__(self, threshold: float, window: int):
        super().__init__(name="gate")
        self._threshold = threshold
        self._window = window
        self._values = tf.Variable(tf.zeros([window]), trainable=False, name="values")
        self._count = tf.Variable(0, dtype=tf.int64, trainable=False, name="count")

    def record(self, value: tf.Tensor) -> None:
        """Takes a value [] into the window of the latest ones."""
        place = (self._count.read_value() % self._window)[tf.newaxis, tf.newaxis]
        self._values.assign(tf.tensor_scatter_nd_update(self._values.read_value(), place, value[tf.newaxis]))
        self._count.assign_add(1)

    def is_open(self) -> tf.Tensor:
        """Returns whether the mean of the latest values is above the threshold, [] bool."""
        recorded = tf.cast(tf.minimum(self._count.read_value(), self._window), tf.float32)
        return tf.math.divide_no_nan(tf.reduce_sum(self._values.read_value()), recorded) > self._threshold

    def stored(self) -> list[tf.Variable]:
        """Returns what a checkpoint holds."""
        return [self._values, self._count]
