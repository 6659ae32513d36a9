"""The residual block of the generator (CycleGAN's, between the encoder and the decoder of Fig. 2)."""

import keras
import tensorflow as tf

from attent_tf.layers.normalization import make_normalization
from attent_tf.layers.padded_conv import PaddedConv2D


@keras.saving.register_keras_serializable("attent_tf")
class ResidualBlock(keras.layers.Layer):
    """x + norm(conv(relu(norm(conv(x))))) with 3×3 kernels and reflected borders.

    Args:
      filters: channels of input and output.
      normalization: see `attent_tf.layers.normalization`.
      kernel_initializer: name or Keras initializer of both kernels.
    """

    def __init__(self, filters: int, normalization: str = "instance", kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.normalization = normalization
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        conv = {"padding": "reflect", "use_bias": normalization == "none", "kernel_initializer": kernel_initializer}
        self.first = PaddedConv2D(filters, 3, name="first", **conv)
        self.first_norm = make_normalization(normalization, name="first_norm")
        self.second = PaddedConv2D(filters, 3, name="second", **conv)
        self.second_norm = make_normalization(normalization, name="second_norm")

    def build(self, input_shape):
        shape = (*input_shape[:-1], self.filters)
        self.first.build(input_shape)
        self.first_norm.build(shape)
        self.second.build(shape)
        self.second_norm.build(shape)
        super().build(input_shape)

    def call(self, inputs):
        """Returns a feature of the shape of `inputs` [batch, height, width, filters]."""
        y = tf.nn.relu(self.first_norm(self.first(inputs)))
        return inputs + self.second_norm(self.second(y))

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "normalization": self.normalization,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
