"""Convolution with the same explicit padding on every side.

Keras's `same` padding is asymmetric at stride 2 and does not reflect. The networks of this field are defined with the
same number of padded pixels on all sides, and their generators reflect the image at its border.
"""

import keras
import tensorflow as tf

from attent_tf.layers.processor import convolve, convolve_same, reflect_pad

_MODES = {"zero": "CONSTANT", "reflect": "REFLECT", "symmetric": "SYMMETRIC"}
# With fewer than a block of them, oneDNN's gradient of a strided 1×1 kernel writes past its memory on processors with AVX2
# (uxlfoundation/oneDNN, issue 6035).
_FEWEST_STRIDED_CHANNELS = 16


@keras.saving.register_keras_serializable("attent_tf")
class PaddedConv2D(keras.layers.Layer):
    """Pads by (dilation · (kernel_size − 1)) // 2 pixels on every side, then convolves without padding.

    For even kernels this is the padding of 1 that 4×4 kernels have in PatchGAN discriminators.

    Args:
      filters: number of output channels.
      kernel_size: edge of the square kernel.
      strides: step in pixels.
      dilation: distance between kernel taps.
      padding: `zero`, `reflect` (the border pixel once), or `symmetric` (twice).
      use_bias: whether a bias is added.
      kernel_initializer: name or Keras initializer.

    Raises:
      ValueError: `padding` is unknown.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        dilation: int = 1,
        padding: str = "zero",
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if padding not in _MODES:
            raise ValueError(f"Argument `padding` must be one of {sorted(_MODES)}. Found: {padding!r}")
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.dilation = dilation
        self.padding = padding
        self.use_bias = use_bias
        # An initializer gives the same values each time, and those who make layers pass one to several.
        self.kernel_initializer = keras.initializers.get(kernel_initializer).clone()

    @property
    def pad_pixels(self) -> int:
        """Number of pixels that are added on each side."""
        return self.dilation * (self.kernel_size - 1) // 2

    def build(self, input_shape):
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, input_shape[-1], self.filters),
            initializer=self.kernel_initializer,
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        """Convolves `inputs` [batch, height, width, channels]."""
        kernel, strides = tf.cast(self.kernel, inputs.dtype), self.strides
        if self.kernel_size == 1 and strides > 1 and inputs.shape[-1] < _FEWEST_STRIDED_CHANNELS:
            inputs, strides = inputs[:, ::strides, ::strides], 1
        if self.padding == "zero" and strides == 1 and self.kernel_size % 2:
            y = convolve_same(inputs, kernel, self.dilation)
        elif strides == self.dilation == 1:
            y = convolve(self._pad(inputs), kernel)
        else:
            y = tf.nn.convolution(self._pad(inputs), kernel, strides, padding="VALID", dilations=self.dilation)
        return tf.nn.bias_add(y, tf.cast(self.bias, y.dtype)) if self.use_bias else y

    def _pad(self, inputs):
        pad = self.pad_pixels
        if not pad:
            return inputs
        if self.padding == "reflect":
            return reflect_pad(inputs, pad)
        return tf.pad(inputs, [[0, 0], [pad, pad], [pad, pad], [0, 0]], mode=_MODES[self.padding])

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "dilation": self.dilation,
            "padding": self.padding,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
