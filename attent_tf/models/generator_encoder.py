"""The first part of the generator (section III-B, Fig. 2): from the image to features at a quarter of its resolution."""

import keras
import tensorflow as tf

from attent_tf.layers import PaddedConv2D, make_normalization


def generator_initializer() -> keras.initializers.Initializer:
    """Returns the initializer of the generator's kernels, CycleGAN's."""
    return keras.initializers.RandomNormal(stddev=0.02)


@keras.saving.register_keras_serializable("attent_tf")
class GeneratorEncoder(keras.layers.Layer):
    """A 7×7 convolution and two strided 3×3 convolutions, each with norm and ReLU.

    Args:
      filters: channels at full resolution (64 in the authors' code); 2× and 4× at the coarser two.
      normalization: see `attent_tf.layers.normalization`.
    """

    def __init__(self, filters: int = 64, normalization: str = "instance", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.normalization = normalization
        conv = {
            "padding": "reflect",
            "use_bias": normalization == "none",
            "kernel_initializer": generator_initializer(),
        }
        self.convs = [
            PaddedConv2D(filters, 7, name="encode_full", **conv),
            PaddedConv2D(2 * filters, 3, strides=2, name="encode_half", **conv),
            PaddedConv2D(4 * filters, 3, strides=2, name="encode_quarter", **conv),
        ]
        self.norms = [make_normalization(normalization, name=f"encoder_norm_{i}") for i in range(3)]

    def build(self, input_shape):
        shape = input_shape
        for conv, norm in zip(self.convs, self.norms, strict=True):
            conv.build(shape)
            shape = (*shape[:-1], conv.filters)
            norm.build(shape)
        super().build(input_shape)

    def call(self, inputs) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Encodes `inputs` [batch, height, width, channels]; height and width divide by 4.

        Returns:
          Features at full, half and quarter resolution, each [batch, height / 2ⁿ, width / 2ⁿ, 2ⁿ · filters].
        """
        features = []
        x = inputs
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = tf.nn.relu(norm(conv(x)))
            features.append(x)
        return tuple(features)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "normalization": self.normalization}
