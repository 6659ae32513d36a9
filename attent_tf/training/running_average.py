"""Networks that follow others as running averages over the steps (`attent_tf.methods.Part.follows`)."""

import keras
import tensorflow as tf

from attent_tf.runs.networks import stored


class RunningAverage(tf.Module):
    """One network's weights and batch statistics as the running average of another's: θ' ← d θ' + (1 − d) θ.

    In step k, counted from 0, d = min(1 − 1 / (k + 1), decay): at first the plain mean of all steps so far. Of what is replicated
    and not the same everywhere, as batch statistics are, the first replica's counts, which is what checkpoints hold.

    Args:
      followed: that is trained.
      follower: of the same layers.
      decay: in [0, 1).
    """

    def __init__(self, followed: keras.Model, follower: keras.Model, decay: float):
        super().__init__(name="running_average")
        self._followed, self._follower = followed, follower
        self._decay = decay

    def begin(self) -> None:
        """Makes the follower a copy."""
        for average, weight in self._pairs():
            average.assign(weight)

    def update(self, step: tf.Tensor) -> None:
        """Takes in the weights that followed from the update of `step`, a scalar int64; call it in cross-replica context."""
        decay = tf.minimum(1.0 - 1.0 / (tf.cast(step, tf.float32) + 1.0), self._decay)
        for average, weight in self._pairs():
            average.assign(decay * average + (1.0 - decay) * weight)

    def _pairs(self):
        pairs = zip(stored(self._follower), stored(self._followed), strict=True)
        # Others than numbers with a mean, such as the states of random generators, stay the follower's own.
        return [(average, weight) for average, weight in pairs if weight.dtype.is_floating]
