"""The middle part of the generator (section III-B, Fig. 2): residual blocks at a quarter of the resolution."""

import keras

from attent_tf.layers import ResidualBlock
from attent_tf.models.generator_encoder import generator_initializer


@keras.saving.register_keras_serializable("attent_tf")
class GeneratorBody(keras.layers.Layer):
    """Residual blocks in a row.

    Args:
      filters: channels of input and output.
      residual_blocks: number of residual blocks (9).
      normalization: see `attent_tf.layers.normalization`.
    """

    def __init__(self, filters: int = 256, residual_blocks: int = 9, normalization: str = "instance", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.residual_blocks = residual_blocks
        self.normalization = normalization
        self.blocks = [
            ResidualBlock(filters, normalization, generator_initializer(), name=f"block_{i}")
            for i in range(residual_blocks)
        ]

    def build(self, input_shape):
        for block in self.blocks:
            block.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Returns a feature of the shape of `inputs` [batch, height, width, filters]."""
        x = inputs
        for block in self.blocks:
            x = block(x)
        return x

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "residual_blocks": self.residual_blocks,
            "normalization": self.normalization,
        }
