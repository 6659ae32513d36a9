"""Gives two replicas batches and applies their gradients; a program of its own, since devices are fixed once TensorFlow runs.

python -m tests.training.replicas

Its last line is JSON: weights after updates of several kinds, what each replica's pool of images showed, and which slices each
was given.
"""

import dataclasses
import json

import keras
import numpy as np
import tensorflow as tf

from attent_tf.configs import DataConfig, OptimizerConfig
from attent_tf.data.batches import batches, held
from attent_tf.data.slices import SliceArrays
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.loop import replica_batches
from attent_tf.training.weight_update import WeightUpdate

# Nine slices, each all one value.
SLICES = SliceArrays(np.tile(np.linspace(-1, 1, 9, dtype=np.float32)[:, None, None, None], (1, 4, 4, 1)), None)
STILL = DataConfig(image_size=4, zoom_min=1.0, zoom_max=1.0, shift=0.0)


def per_replica(strategy, values):
    """Gives each replica a value of its own."""
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(values[context.replica_id_in_sync_group], tf.float32)
    )


def make(strategy, precision, clip_norm):
    """Returns two weights of 0, their update by steepest descent, and a function that applies a gradient of each replica."""
    with strategy.scope():
        weights = keras.Variable(np.zeros(2, np.float32), name="weights")
        config = OptimizerConfig(learning_rate=1.0, clip_norm=clip_norm)
        update = WeightUpdate(config, 10, [weights], precision)
        # So that the weights show the gradient that was applied.
        update.optimizer = keras.optimizers.SGD(1.0)
        update.optimizer.build([weights])

    @tf.function
    def apply(gradient):
        update.apply([gradient])

    return weights, update, lambda values: apply(per_replica(strategy, values))


def updates(strategy) -> dict[str, list]:
    """Weights after a gradient that is clipped, summed, or scaled and clipped."""
    found = {}
    for name, precision, clip_norm in (
        ("clipped", "float32", 1.0),
        ("summed", "float32", 0.0),
        ("scaled and clipped", "mixed_float16", 1.0),
    ):
        weights, update, apply = make(strategy, precision, clip_norm)
        scale = float(update.loss_scale.value.numpy()) if update.loss_scale else 1.0
        apply([[3.0 * scale, 0.0], [0.0, 4.0 * scale]])
        found[name] = weights.numpy().tolist()
    return found


def overflow(strategy, replica, bad) -> list:
    """Weights before and after a gradient that is not finite on one replica, by how much the scale changed, and weights after."""
    weights, update, apply = make(strategy, "mixed_float16", 0.0)
    scale = float(update.loss_scale.value.numpy())
    gradients = [[scale, 0.0], [0.0, scale]]
    apply(gradients)
    before = weights.numpy().tolist()
    gradients[replica] = [bad, 1.0]
    apply(gradients)
    copies = [v.numpy().tolist() for v in strategy.experimental_local_results(weights.value)]
    halved = float(update.loss_scale.value.numpy()) / scale
    apply([[scale / 2, 0.0], [0.0, 0.0]])
    return [before, copies, halved, weights.numpy().tolist()]


def shown(strategy) -> list[list[float]]:
    """What the pool of each replica showed in 40 steps."""
    with strategy.scope():
        pool = ImagePool(2, (1, 1, 1), name="pool")

    @tf.function
    def exchange(image, step):
        seed = tf.stack([tf.constant(0, tf.int64), step])
        return strategy.run(lambda x: pool.exchange(tf.reshape(x, (1, 1, 1, 1)), seed), args=(image,))

    found = [[], []]
    for step in range(40):
        images = exchange(per_replica(strategy, [float(step), 100.0 + step]), tf.constant(step, tf.int64))
        for replica, image in enumerate(strategy.experimental_local_results(images)):
            found[replica].append(float(tf.reshape(image, [])))
    return found


def given(strategy) -> dict[str, list]:
    """The share of each pipeline, and values of the slices, batches of two, that each replica was given in steps 1 and 2."""
    slices, shares = held(SLICES), []

    def make_data(first):
        def make(share):
            shares.append(dataclasses.astuple(share))
            return batches(slices, STILL, 2, 0, 5, first=first, share=share)

        return make

    data = replica_batches(1, make_data, strategy)

    @tf.function
    def mean(images):
        return strategy.run(lambda x: tf.reduce_mean(x, axis=(1, 2, 3)), args=(images,))

    steps = [strategy.experimental_local_results(mean(next(data))) for _ in range(2)]
    return {"shares": shares, "given": [[values.numpy().tolist() for values in step] for step in steps]}


def main() -> None:
    """Prints all results."""
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    overflows = {
        f"overflow {replica} {bad}": overflow(strategy, replica, bad)
        for replica in (0, 1)
        for bad in (np.inf, np.nan, -np.inf)
    }
    print(json.dumps({**updates(strategy), **overflows, "shown": shown(strategy), **given(strategy)}))


if __name__ == "__main__":
    main()
