"""The decoder de_B of SIFA (Chen et al., TMI 2020): with the segmentor's encoder, the way back to source style."""

import keras
import tensorflow as tf

from attent_tf.layers import InstanceNormalization, PaddedConv2D
from attent_tf.layers.building import build_in_turn
from attent_tf.models.sifa_block import SifaBlock, translator_initializer
from attent_tf.models.sifa_tail import SifaTail


@keras.saving.register_keras_serializable("attent_tf")
class SifaDecoder(keras.Model):
    """Changes target-style images to source style, using the encoder's features of them.

    Args:
      filters: channels at full resolution (32); 2× at the coarser two, 4× in the residual blocks.
      residual_blocks: number of residual blocks at an eighth of the resolution (4).
      channels: the number of channels of the images.
    """

    def __init__(self, filters: int = 32, residual_blocks: int = 4, channels: int = 1, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.filters = filters
        self.residual_blocks = residual_blocks
        self.channels = channels
        self.entry = PaddedConv2D(
            4 * filters, 3, use_bias=False, kernel_initializer=translator_initializer(), name="entry"
        )
        self.entry_norm = InstanceNormalization(affine=True, name="entry_norm")
        self.blocks = [SifaBlock(4 * filters, name=f"block_{i}") for i in range(residual_blocks)]
        self.tail = SifaTail((2 * filters, 2 * filters, filters), channels, name="tail")

    def build(self, features_shape, images_shape):
        shape = build_in_turn((self.entry, self.entry_norm, *self.blocks), features_shape)
        self.tail.build(shape, images_shape)
        super().build(features_shape)

    def call(self, features, images):
        """Returns [batch, height, width, channels] float32 in [−1, 1].

        Takes `features` [batch, height / 8, width / 8, …] that the encoder found in `images` [batch, height, width, channels].
        """
        x = tf.nn.relu(self.entry_norm(self.entry(features)))
        for block in self.blocks:
            x = block(x)
        return self.tail(x, images)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "residual_blocks": self.residual_blocks,
            "channels": self.channels,
        }
