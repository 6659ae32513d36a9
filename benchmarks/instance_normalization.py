"""A translation step with our instance norm against the same step with `keras.layers.GroupNormalization(groups=-1)`.

Run: python benchmarks/instance_normalization.py [--size 128] [--filters 8] [--steps 10]
Prints the median seconds of each and their ratio, measured in turns in one process, so that a machine that slows down slows both.
"""

import argparse
import statistics
import time
from unittest import mock

from attent_tf.runtime import start_quietly

start_quietly()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from attent_tf.configs import load_config  # noqa: E402
from attent_tf.layers import normalization  # noqa: E402
from attent_tf.methods import get_method  # noqa: E402
from attent_tf.tasks import load_task  # noqa: E402
from attent_tf.training.steps.step import make_step  # noqa: E402


def make_update(size: int, filters: int, groups: bool):
    """Returns a function that does one translation update of one image a domain."""
    config = load_config("demo", [f"translation.filters={filters}", f"data.image_size={size}"])
    norm = mock.patch.object(
        normalization,
        "InstanceNormalization",
        lambda **kwargs: keras.layers.GroupNormalization(-1, epsilon=1e-5, center=False, scale=False, **kwargs),
    )
    with norm if groups else mock.MagicMock():
        step = make_step(get_method("attent").stage("translation"), config, load_task(), "mri2ct")
    x_s, x_t = (tf.random.stateless_uniform((1, size, size, 1), (0, i), -1.0, 1.0) for i in range(2))
    update = tf.function(step.update, autograph=False)
    return lambda: update("free", tf.constant(0, tf.int64), x_s, x_t)["generator"].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="edge of the images in pixels")
    parser.add_argument("--filters", type=int, default=8, help="channels at full resolution")
    parser.add_argument("--steps", type=int, default=10, help="measured steps of each")
    arguments = parser.parse_args()
    updates = {groups: make_update(arguments.size, arguments.filters, groups) for groups in (False, True)}
    seconds = {False: [], True: []}
    for update in updates.values():
        update()
    for _ in range(arguments.steps):
        for groups, update in updates.items():
            start = time.perf_counter()
            update()
            seconds[groups].append(time.perf_counter() - start)
    ours, baseline = statistics.median(seconds[False]), statistics.median(seconds[True])
    print(
        f"instance norm {ours:.3f} s, GroupNormalization {baseline:.3f} s a step: {baseline / ours:.2f} times as fast"
    )


if __name__ == "__main__":
    main()
