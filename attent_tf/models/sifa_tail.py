"""The end of both translators of SIFA (Chen et al., TMI 2020): at full resolution, as a change of the image, not a new
image."""

import keras
import tensorflow as tf

from attent_tf.layers import InstanceNormalization, PaddedConv2D
from attent_tf.models.sifa_block import translator_initializer


@keras.saving.register_keras_serializable("attent_tf")
class SifaTail(keras.layers.Layer):
    """tanh(image + conv(x)), x after transposed 3×3 convolutions that double the resolution, with instance norm and ReLU.

    Args:
      widths: channels after each doubling.
      channels: the number of channels of the images.
    """

    def __init__(self, widths: tuple[int, ...], channels: int = 1, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.widths = tuple(widths)
        self.channels = channels
        self.doublings = [
            keras.layers.Conv2DTranspose(
                width,
                3,
                2,
                padding="same",
                use_bias=False,
                kernel_initializer=translator_initializer(),
                name=f"doubling_{i}",
            )
            for i, width in enumerate(self.widths, start=1)
        ]
        self.norms = [InstanceNormalization(affine=True, name=f"norm_{i}") for i in range(1, len(self.widths) + 1)]
        self.head = PaddedConv2D(channels, 7, kernel_initializer=translator_initializer(), dtype="float32", name="head")

    def build(self, features_shape, images_shape):
        shape = features_shape
        for doubling, norm, width in zip(self.doublings, self.norms, self.widths, strict=True):
            doubling.build(shape)
            shape = (*shape[:-1], width)
            norm.build(shape)
        self.head.build(shape)
        super().build(features_shape)

    def call(self, features, images):
        """Returns [batch, height, width, channels] float32 in [−1, 1].

        Takes `features` [batch, height / 2ⁿ, width / 2ⁿ, …] for n doublings, and `images` [batch, height, width, channels], which
        keep their precision.
        """
        x = features
        for doubling, norm in zip(self.doublings, self.norms, strict=True):
            x = tf.nn.relu(norm(doubling(x)))
        return tf.tanh(tf.cast(images, tf.float32) + self.head(x))

    def get_config(self):
        return {**super().get_config(), "widths": self.widths, "channels": self.channels}
