"""The critics of PnP-AdaNet (Dou et al., IEEE Access 2019), which estimate a Wasserstein distance.

A score has no bound and no zero: only the difference between two scores means anything, so the last layer has no bias.
"""

import math

import keras
import tensorflow as tf

from attent_tf.layers import ConvUnit, GrowingResidualBlock
from attent_tf.layers.building import build_in_turn


class _Critic(keras.Model):
    """Convolutional units in a row, then one linear layer over all remaining positions."""

    def __init__(self, filters, dropout, units, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.dropout = dropout
        self.units = units
        self.flatten = keras.layers.Flatten(name="flatten")
        self.head = keras.layers.Dense(1, use_bias=False, dtype="float32", name="head")

    def build(self, input_shape):
        _, *edges, channels = build_in_turn(self.units, input_shape)
        if None in edges:
            raise ValueError(f"Argument `input_shape` must have a height and a width. Found: {input_shape}")
        # Kernels are odd, so that a stride of n leaves every nth position, the first among them.
        strides = math.prod(unit.strides for unit in self.units if isinstance(unit, ConvUnit))
        self.head.build((None, math.prod(math.ceil(edge / strides) for edge in edges) * channels))
        super().build(input_shape)

    def call(self, inputs, training=False):
        """Judges `inputs` [batch, height, width, channels]; returns scores [batch, 1, 1, 1], float32."""
        x = inputs
        for unit in self.units:
            x = unit(x, training=training)
        return tf.reshape(self.head(self.flatten(x)), (-1, 1, 1, 1))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "dropout": self.dropout}


@keras.saving.register_keras_serializable("attent_tf")
class FeatureCritic(_Critic):
    """Scores features of several depths: five residual blocks with a strided convolution each, one more of these, a linear layer.

    Images of 256×256 leave 2×2 positions. The kernels of the strided convolutions are 3, 5, 3, 3, 5 and 3.

    Args:
      filters: channels of the first block (64); 2×, 4×, 8× and 8× as many in those that follow.
      dropout: share of values that training leaves out after each convolution (0.25).
    """

    def __init__(self, filters: int = 64, dropout: float = 0.25, **kwargs):
        units = []
        for i, (width, kernel, strides) in enumerate(((1, 3, 2), (2, 5, 2), (4, 3, 2), (8, 3, 2), (8, 5, 4)), start=1):
            units.append(GrowingResidualBlock(width * filters, dropout=dropout, name=f"block_{i}"))
            units.append(ConvUnit(width * filters, kernel, strides, dropout=dropout, name=f"down_{i}"))
        units.append(ConvUnit(8 * filters, 3, 2, dropout=dropout, name="down_6"))
        super().__init__(filters, dropout, units, **kwargs)


@keras.saving.register_keras_serializable("attent_tf")
class MaskCritic(_Critic):
    """Scores the logits of a segmentation: four strided convolutions with two residual blocks between, then a linear layer.

    Images of 256×256 leave 2×2 positions.

    Args:
      filters: channels of the first convolution (16); 2×, 8× and 16× as many in those that follow, 1× and 4× in the blocks.
      dropout: share of values that training leaves out after each convolution (0.25).
    """

    def __init__(self, filters: int = 16, dropout: float = 0.25, **kwargs):
        units = [
            ConvUnit(filters, 3, 2, dropout=dropout, name="down_1"),
            GrowingResidualBlock(filters, dropout=dropout, name="block_1"),
            ConvUnit(2 * filters, 5, 4, dropout=dropout, name="down_2"),
            GrowingResidualBlock(4 * filters, dropout=dropout, name="block_2"),
            ConvUnit(8 * filters, 5, 4, dropout=dropout, name="down_3"),
            ConvUnit(16 * filters, 5, 4, dropout=dropout, name="down_4"),
        ]
        super().__init__(filters, dropout, units, **kwargs)
