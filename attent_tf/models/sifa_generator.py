"""The generator g_A of SIFA (Chen et al., TMI 2020): source images to target style."""

import itertools

import keras
import tensorflow as tf

from attent_tf.layers import InstanceNormalization, PaddedConv2D
from attent_tf.layers.building import build_in_turn
from attent_tf.models.sifa_block import SifaBlock, translator_initializer
from attent_tf.models.sifa_tail import SifaTail


@keras.saving.register_keras_serializable("attent_tf")
class SifaGenerator(keras.Model):
    """Changes images of one domain to the style of the other: tanh of the image plus the network's output for it.

    Args:
      filters: channels at full resolution (32); 2× and 4× at the coarser two.
      residual_blocks: number of residual blocks at a quarter of the resolution (9).
      channels: the number of channels of the images, in and out.
      copies: how often each channel of the images is repeated at the input; 3 in SIFA v1.
    """

    def __init__(self, filters: int = 32, residual_blocks: int = 9, channels: int = 1, copies: int = 1, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.filters = filters
        self.residual_blocks = residual_blocks
        self.channels = channels
        self.copies = copies
        self.encoders = [
            # A bias before a norm changes nothing.
            PaddedConv2D(width, kernel, stride, use_bias=False, kernel_initializer=translator_initializer(), name=name)
            for width, kernel, stride, name in (
                (filters, 7, 1, "encode_full"),
                (2 * filters, 3, 2, "encode_half"),
                (4 * filters, 3, 2, "encode_quarter"),
            )
        ]
        self.encoder_norms = [InstanceNormalization(affine=True, name=f"encoder_norm_{i}") for i in range(3)]
        self.blocks = [SifaBlock(4 * filters, name=f"block_{i}") for i in range(residual_blocks)]
        self.tail = SifaTail((2 * filters, filters), channels, name="tail")

    def build(self, input_shape):
        units = itertools.chain.from_iterable(zip(self.encoders, self.encoder_norms, strict=True))
        shape = (*input_shape[:-1], self.copies * input_shape[-1])
        self.tail.build(build_in_turn((*units, *self.blocks), shape), input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Translates `inputs` [batch, height, width, channels] in [−1, 1]; height and width divide by 4.

        Returns:
          [batch, height, width, channels] float32 in [−1, 1].
        """
        x = tf.repeat(inputs, self.copies, axis=-1)
        for conv, norm in zip(self.encoders, self.encoder_norms, strict=True):
            x = tf.nn.relu(norm(conv(x)))
        for block in self.blocks:
            x = block(x)
        return self.tail(x, inputs)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "residual_blocks": self.residual_blocks,
            "channels": self.channels,
            "copies": self.copies,
        }
