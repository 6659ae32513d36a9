"""Convolution, batch norm, activation: the unit that the segmentors and critics of PnP-AdaNet and SIFA are built of."""

import functools
from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

from attent_tf.layers.activations import leaky_relu
from attent_tf.layers.batch_normalization import BatchNormalization
from attent_tf.layers.padded_conv import PaddedConv2D

ACTIVATIONS = {"leaky_relu": leaky_relu, "relu": tf.nn.relu, "linear": tf.identity}


@keras.saving.register_keras_serializable("attent_tf")
class ConvUnit(keras.layers.Layer):
    """activation(norm(dropout(conv(x)))); the convolution has no bias, since the batch norm has one.

    Args:
      filters: number of output channels.
      kernel_size: edge of the square kernel.
      strides: step in pixels.
      dilation: distance between kernel taps.
      activation: a key of `ACTIVATIONS`.
      dropout: share of values that training leaves out.
      padding: `zero` or `reflect`.
      kernel_initializer: name or Keras initializer.

    Raises:
      ValueError: `activation` is unknown.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        strides: int = 1,
        dilation: int = 1,
        activation: str = "leaky_relu",
        dropout: float = 0.0,
        padding: str = "zero",
        kernel_initializer="he_normal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if activation not in ACTIVATIONS:
            raise ValueError(f"Argument `activation` must be one of {sorted(ACTIVATIONS)}. Found: {activation!r}")
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.dilation = dilation
        self.activation = activation
        self.dropout = dropout
        self.padding = padding
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.conv = PaddedConv2D(
            filters,
            kernel_size,
            strides,
            dilation,
            padding=padding,
            use_bias=False,
            kernel_initializer=self.kernel_initializer,
            name="conv",
        )
        self.drop = keras.layers.Dropout(dropout, name="drop")
        self.norm = BatchNormalization(momentum=0.9, name="norm")

    def build(self, input_shape):
        self.conv.build(input_shape)
        self.norm.build((*input_shape[:-1], self.filters))
        super().build(input_shape)

    def call(self, inputs, training=False):
        """Returns [batch, height / strides, width / strides, filters] for `inputs` [batch, height, width, channels]."""
        x = self.norm(self.drop(self.conv(inputs), training=training), training=training)
        return ACTIVATIONS[self.activation](x)

    def conv_norms(self) -> Iterator[tuple[PaddedConv2D, keras.layers.BatchNormalization, Callable]]:
        """Yields the convolution, its batch norm, and what puts something in the norm's place."""
        yield self.conv, self.norm, functools.partial(setattr, self, "norm")

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "dilation": self.dilation,
            "activation": self.activation,
            "dropout": self.dropout,
            "padding": self.padding,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
