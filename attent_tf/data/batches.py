"""Batches for training, as a function of the seed and the position alone.

Which slice comes at position p, and how it is cropped, follows from (seed, p); nothing else is remembered. A run that goes on
from a checkpoint therefore sees exactly what an undisturbed run would have seen.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from attent_tf.configs import AugmentationConfig, DataConfig
from attent_tf.data.augmentation import map_some_intensities, random_resized_crop
from attent_tf.data.slices import SliceArrays

_AS_IT_IS = AugmentationConfig()


@dataclasses.dataclass(frozen=True)
class Share:
    """Which of the batches of a step a worker makes: those of `count` replicas from `first` on, of `replicas` in all."""

    replicas: int = 1
    first: int = 0
    count: int = 1

    @classmethod
    def of_worker(cls, worker: int, strategy: tf.distribute.Strategy) -> "Share":
        """Returns the share of a worker whose machine has as many replicas as each other one."""
        local = len(strategy.extended.worker_devices)
        return cls(strategy.num_replicas_in_sync, worker * local, local)


def held(slices: SliceArrays) -> SliceArrays:
    """Returns slices as tensors in the machine's memory, so that several pipelines read one copy; mapped files stay files."""
    arrays = {"images": slices.images, "labels": slices.labels}
    with tf.device("CPU:0"):
        return dataclasses.replace(
            slices,
            **{
                name: tf.constant(array)
                for name, array in arrays.items()
                if array is not None and not isinstance(array, np.memmap)
            },
        )


def batches(
    slices: SliceArrays,
    config: DataConfig,
    batch_size: int,
    seed: int,
    num_classes: int,
    first: int = 0,
    share: Share = Share(),
    augmentation: AugmentationConfig = _AS_IT_IS,
) -> tf.data.Dataset:
    """Makes the endless sequence of augmented batches from step `first` on.

    Every slice comes once before any comes again; the order is drawn anew for each pass. All batches are full: one that the end
    of a pass cuts short is filled from the next pass.

    Args:
      slices: what to draw from.
      config: the configuration of zoom and shift.
      batch_size: slices in a batch, of one replica.
      seed: two sequences with different seeds are independent.
      num_classes: the number of classes of the labels.
      first: the first step.
      share: whose batches are made; within a step, one replica's after the other's.
      augmentation: beyond `config`; grey values are mapped where `slices` has labels.

    Returns:
      Batches of images [batch, size, size, channels] float32, or pairs (images, labels [batch, size, size] uint8) where `slices`
      has labels.
    """
    count = len(slices)
    wider = 1.0 + augmentation.zoom
    images = _gather(slices.images)
    labels = None if slices.labels is None else _gather(slices.labels)

    @tf.autograph.experimental.do_not_convert
    def make(number):
        step, replica = first + number // share.count, share.first + number % share.count
        positions = (step * share.replicas + replica) * batch_size + tf.range(batch_size, dtype=tf.int64)
        index = tf.map_fn(lambda position: _draw(position, count, seed), positions)
        seeds = tf.stack([tf.fill([batch_size], tf.constant(seed, tf.int64)), positions], axis=1)
        image, label = random_resized_crop(
            images(index),
            None if labels is None else labels(index),
            seeds,
            config.zoom_min / wider,
            config.zoom_max * wider,
            config.shift,
            augmentation.rotation,
        )
        if label is None:
            return image
        # Slices have passed the translators of their views before they come here: the maps change what S is shown, and a
        # translator never meets a mapped image.
        return map_some_intensities(image, label, seeds, augmentation, num_classes), label

    numbers = tf.data.Dataset.counter(dtype=tf.int64)
    made = numbers.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(4)
    return made.with_options(_without_tuning())


def _without_tuning():
    # The thread that tunes a pipeline sleeps for up to a minute at a time, and who lets an iterator go waits until it wakes.
    options = tf.data.Options()
    options.autotune.enabled = False
    return options


def _gather(array):
    """Returns a function of indices [batch] that gives their slices."""
    if not isinstance(array, np.memmap):
        held = tf.constant(array)
        return lambda index: tf.gather(held, index)
    kind = tf.as_dtype(array.dtype)

    def from_file(index):
        batch = tf.numpy_function(lambda i: np.asarray(array[i]), [index], kind, stateful=False)
        return tf.ensure_shape(batch, (index.shape[0], *array.shape[1:]))

    return from_file


def _draw(position, count, seed):
    epoch, place = position // count, position % count
    key = tf.cast(tf.stack([tf.constant(seed, tf.int64), epoch]), tf.int32)
    return tf.random.experimental.index_shuffle(place, seed=key, max_index=tf.constant(count - 1, tf.int64))
