"""Batches for training, as a function of the seed and the position alone.

Which slice comes at position p, and how it is cropped, follows from (seed, p); nothing else is remembered. A run that goes on
from a checkpoint therefore sees exactly what an undisturbed run would have seen.
"""

import tensorflow as tf

from attent_tf.configs import DataConfig
from attent_tf.data.augmentation import random_resized_crop
from attent_tf.data.slices import SliceArrays


def batches(slices: SliceArrays, config: DataConfig, batch_size: int, seed: int, first: int = 0) -> tf.data.Dataset:
    """Makes the endless sequence of augmented batches from batch `first` on.

    Every slice comes once before any comes again; the order is drawn anew for each pass.

    Args:
      slices: what to draw from.
      config: of the augmentation.
      batch_size: slices in a batch.
      seed: two sequences with different seeds are independent.
      first: index of the first batch.

    Returns:
      Batches of images [batch, size, size, channels] float32, or pairs (images, labels [batch, size, size] uint8) where `slices`
      has labels.
    """
    count = len(slices)
    images = tf.constant(slices.images)
    labels = None if slices.labels is None else tf.constant(slices.labels)

    def make(step):
        positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        index = tf.map_fn(lambda position: _draw(position, count, seed), positions)
        seeds = tf.stack([tf.fill([batch_size], tf.constant(seed, tf.int64)), positions], axis=1)
        image, label = random_resized_crop(
            tf.gather(images, index),
            None if labels is None else tf.gather(labels, index),
            seeds,
            config.zoom_min,
            config.zoom_max,
            config.shift,
        )
        return image if label is None else (image, label)

    steps = tf.data.Dataset.counter(start=first, dtype=tf.int64)
    return steps.map(make, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(4)


def _draw(position, count, seed):
    epoch, place = position // count, position % count
    key = tf.cast(tf.stack([tf.constant(seed, tf.int64), epoch]), tf.int32)
    return tf.random.experimental.index_shuffle(place, seed=key, max_index=tf.constant(count - 1, tf.int64))
