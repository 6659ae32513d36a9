"""The residual block of SIFA's translators (Chen et al., TMI 2020)."""

import keras
import tensorflow as tf

from attent_tf.layers import InstanceNormalization, PaddedConv2D


def translator_initializer() -> keras.initializers.Initializer:
    """Returns the initializer of one kernel; each call makes another, since an initializer always gives the same values."""
    return keras.initializers.TruncatedNormal(stddev=0.02)


@keras.saving.register_keras_serializable("attent_tf")
class SifaBlock(keras.layers.Layer):
    """relu(x + norm(conv(relu(norm(conv(x)))))) with 3×3 kernels, zeros around the border and affine instance norms.

    Args:
      filters: channels of input and output.
    """

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.first, self.second = (
            PaddedConv2D(filters, 3, use_bias=False, kernel_initializer=translator_initializer(), name=name)
            for name in ("first", "second")
        )
        self.first_norm, self.second_norm = (
            InstanceNormalization(affine=True, name=name) for name in ("first_norm", "second_norm")
        )

    def build(self, input_shape):
        for layer in (self.first, self.first_norm, self.second, self.second_norm):
            layer.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Returns a feature of the shape of `inputs` [batch, height, width, filters]."""
        x = tf.nn.relu(self.first_norm(self.first(inputs)))
        return tf.nn.relu(inputs + self.second_norm(self.second(x)))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}
