"""The residual block of PnP-AdaNet and SIFA, which makes features wider without a projection."""

from collections.abc import Iterator

import keras
import tensorflow as tf

from attent_tf.layers.conv_unit import ACTIVATIONS, ConvUnit


@keras.saving.register_keras_serializable("attent_tf")
class GrowingResidualBlock(keras.layers.Layer):
    """activation(x + norm(conv(activation(norm(conv(x)))))), R(n) of the papers, and DR(n) with a dilation of 2.

    For the sum, x is padded with channels of zeros if the block has more channels, and loses its last channels if it has
    fewer.

    Args:
      filters: number of output channels n.
      dilation: distance between kernel taps of both 3×3 convolutions.
      activation: a key of `attent_tf.layers.conv_unit.ACTIVATIONS`.
      dropout: share of values that training leaves out after each convolution.
      kernel_initializer: name or Keras initializer of both kernels.
    """

    def __init__(
        self,
        filters: int,
        dilation: int = 1,
        activation: str = "leaky_relu",
        dropout: float = 0.0,
        kernel_initializer="he_normal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.dilation = dilation
        self.activation = activation
        self.dropout = dropout
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        unit = {"dilation": dilation, "dropout": dropout, "kernel_initializer": kernel_initializer}
        self.first = ConvUnit(filters, activation=activation, name="first", **unit)
        self.second = ConvUnit(filters, activation="linear", name="second", **unit)

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build((*input_shape[:-1], self.filters))
        super().build(input_shape)

    def call(self, inputs, training=False):
        """Returns [batch, height, width, filters] for `inputs` [batch, height, width, channels]."""
        x = self.second(self.first(inputs, training=training), training=training)
        missing = max(self.filters - inputs.shape[-1], 0)
        identity = tf.pad(inputs[..., : self.filters], [[0, 0], [0, 0], [0, 0], [0, missing]])
        return ACTIVATIONS[self.activation](x + tf.cast(identity, x.dtype))

    def conv_norms(self) -> Iterator[tuple]:
        """Yields what `ConvUnit.conv_norms` yields, of both convolutions."""
        yield from self.first.conv_norms()
        yield from self.second.conv_norms()

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "dilation": self.dilation,
            "activation": self.activation,
            "dropout": self.dropout,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
