"""The encoder e_B of SIFA (Chen et al., TMI 2020), which the segmentor and the way back to source style share."""

from collections.abc import Iterator

import keras
import tensorflow as tf

from attent_tf.layers import ConvUnit, GrowingResidualBlock
from attent_tf.layers.building import build_in_turn

# Multiples of `filters` of the residual blocks before each of the three max pools, and after the last.
_BEFORE_POOLS = ((1,), (2,), (4, 4))
_AFTER = (8, 8, 16, 16, 16, 16, 32, 32)
_WIDEST = 32


@keras.saving.register_keras_serializable("attent_tf")
class SifaEncoder(keras.Model):
    """Residual blocks with three max pools, two dilated blocks and two convolutions, all with batch norm.

    Args:
      filters: channels at full resolution (16); 2 to 32 times as many in later blocks.
      widest: largest number of channels of a block (512).
      dropout: share of values that are dropped after each convolution in training; 0.25 in SIFA v1.
      copies: how often each channel of the images is repeated; 3 in SIFA v1.
    """

    def __init__(self, filters: int = 16, widest: int = 512, dropout: float = 0.0, copies: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.widest = widest
        self.dropout = dropout
        self.copies = copies

        shared = {
            "activation": "relu",
            "dropout": dropout,
            "kernel_initializer": keras.initializers.TruncatedNormal(stddev=0.01),
        }
        widths = [[self._width(times) for times in level] for level in (*_BEFORE_POOLS, _AFTER)]
        last = self._width(_WIDEST)
        self.stem = ConvUnit(filters, 7, name="stem", **shared)
        self.levels = [
            [
                GrowingResidualBlock(width, name=f"level_{level}_block_{i}", **shared)
                for i, width in enumerate(blocks, start=1)
            ]
            for level, blocks in enumerate(widths, start=1)
        ]
        self.dilated = [GrowingResidualBlock(last, dilation=2, name=f"dilated_{i}", **shared) for i in (1, 2)]
        self.top = [ConvUnit(last, 3, name=f"top_{i}", **shared) for i in (1, 2)]

    def _width(self, times):
        return min(self.widest, times * self.filters)

    def build(self, input_shape):
        build_in_turn(self._units(), (*input_shape[:-1], self.copies * input_shape[-1]))
        super().build(input_shape)

    def _units(self):
        blocks = [block for level in self.levels for block in level]
        return (self.stem, *blocks, *self.dilated, *self.top)

    def call(self, inputs, training=False):
        """Encodes `inputs` [batch, height, width, channels] in [−1, 1]; height and width divide by 8.

        Returns:
          The output and the lower level before the dilated blocks, each [batch, height / 8, width / 8, channels].
        """
        x = self.stem(tf.repeat(inputs, self.copies, axis=-1), training=training)
        for place, blocks in enumerate(self.levels):
            if place:
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            for block in blocks:
                x = block(x, training=training)
        lower = x
        for layer in (*self.dilated, *self.top):
            x = layer(x, training=training)
        return x, lower

    def conv_norms(self) -> Iterator[tuple]:
        """Yields each convolution, the batch norm after it, and what puts something in the norm's place."""
        for layer in self._units():
            yield from layer.conv_norms()

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "widest": self.widest,
            "dropout": self.dropout,
            "copies": self.copies,
        }
