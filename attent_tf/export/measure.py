"""What optimisation changes in a chain: its output and its speed, measured on the machine that exports."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from attent_tf.deployment.output import ChainOutput
from attent_tf.export.metadata import ChangesMeasured

_REPEATS = 5
# No further repetition begins after this long: the large configurations take a CPU half a minute for each.
_SECONDS = 60.0


def compare(
    plain: Callable[[tf.Tensor], ChainOutput], optimized: Callable[[tf.Tensor], ChainOutput], images: np.ndarray
) -> ChangesMeasured:
    """Runs both on the same slices, in turns.

    Args:
      plain: the chain as trained.
      optimized: the one to compare.
      images: [batch, size, size, channels] float32.

    Returns:
      What changed, and the seconds of both.
    """
    images = tf.constant(images)
    # The first run of each chooses kernels and is not timed.
    before, after = plain(images), optimized(images)
    seconds = {"plain": [], "optimized": []}
    began = time.perf_counter()
    while len(seconds["plain"]) < _REPEATS and (not seconds["plain"] or time.perf_counter() - began < _SECONDS):
        for name, function in (("plain", plain), ("optimized", optimized)):
            start = time.perf_counter()
            function(images).probabilities.numpy()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "slices": int(images.shape[0]),
        "largest_change_of_a_probability": float(tf.reduce_max(tf.abs(before.probabilities - after.probabilities))),
        "share_of_pixels_with_another_label": float(np.mean(before.labels.numpy() != after.labels.numpy())),
        "seconds_plain": round(medians["plain"], 4),
        "seconds_optimized": round(medians["optimized"], 4),
        "speedup": round(medians["plain"] / medians["optimized"], 2),
    }
