"""Earlier translations that discriminators are shown again (CycleGAN's image pool)."""

import tensorflow as tf


class ImagePool(tf.Module):
    """Keeps some of the latest translations in variables, one set for each replica, so that checkpoints hold them.

    While the pool fills, images pass through. Afterwards each image is, with equal odds, passed on, or put into the pool in
    exchange for a random one of it.

    Args:
      capacity: number of images; 0 passes everything through.
      image_shape: (height, width, channels).
    """

    def __init__(self, capacity: int, image_shape: tuple[int, int, int], name: str | None = None):
        super().__init__(name=name)
        self.capacity = capacity
        if capacity:
            own = {
                "trainable": False,
                "synchronization": tf.VariableSynchronization.ON_READ,
                "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA,
            }
            self._images = tf.Variable(tf.zeros((capacity, *image_shape)), name="images", **own)
            self._count = tf.Variable(0, name="count", dtype=tf.int64, **own)

    def exchange(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns as many images as it is given; call it in replica context.

        Args:
          images: [batch, height, width, channels] float32, with a batch size that is known when the step is traced.
          seed: [2] int64; the same seed and pool give the same choice.

        Returns:
          [batch, height, width, channels].
        """
        if not self.capacity:
            return images
        shown = [
            self._exchange_one(image, seed + tf.constant([i, 0], tf.int64))
            for i, image in enumerate(tf.unstack(images))
        ]
        return tf.stack(shown)

    def _exchange_one(self, image, seed):
        count = self._count.read_value()
        filling = count < self.capacity
        draw = tf.random.stateless_uniform([2], seed)
        keep_old = tf.logical_and(tf.logical_not(filling), draw[0] < 0.5)
        place = tf.where(filling, count, tf.cast(draw[1] * self.capacity, tf.int64))
        # One image is read and one written in place: a pool is many times as large as what it exchanges.
        handle = self._images.handle
        old = tf.raw_ops.ResourceGather(resource=handle, indices=place, dtype=image.dtype)
        shown = tf.where(keep_old, old, image)
        stored = tf.where(tf.logical_or(filling, keep_old), image, old)
        tf.raw_ops.ResourceScatterUpdate(resource=handle, indices=place, updates=stored)
        self._count.assign(tf.minimum(count + 1, self.capacity))
        return shown

    def stored(self) -> list[list[tf.Variable]]:
        """Returns what a checkpoint holds: the variables of each replica on this machine."""
        if not self.capacity:
            return []
        strategy = tf.distribute.get_strategy()
        images, counts = (strategy.experimental_local_results(variable) for variable in (self._images, self._count))
        return [list(pair) for pair in zip(images, counts, strict=True)]
