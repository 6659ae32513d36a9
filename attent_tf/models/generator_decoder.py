"""The last part of the generator (section III-B, Fig. 2): from features back to an image, with gated skip connections."""

import keras
import tensorflow as tf

from attent_tf.layers import AttentionGate, PaddedConv2D, make_normalization
from attent_tf.models.generator_encoder import generator_initializer

SKIPS = ("attention", "none")


@keras.saving.register_keras_serializable("attent_tf")
class GeneratorDecoder(keras.layers.Layer):
    """Two up-sampling steps (bilinear ×2, convolution, norm, ReLU), a 7×7 convolution, tanh.

    The encoder's features pass through attention gates and are concatenated with the decoder's at the same resolution.

    Args:
      filters: channels at full resolution; 2× at half of it.
      skips: `attention` for gated skip connections (Eq. 1), `none` for the classic CycleGAN.
      gate_gain: factor of each gate's output; 1 in the paper, 2 in the authors' code.
      upsample_kernel: kernel after each bilinear up-sampling (1 in the authors' code).
      normalization: see `attent_tf.layers.normalization`.
      channels: the number of channels of the images.

    Raises:
      ValueError: `skips` is unknown.
    """

    def __init__(
        self,
        filters: int = 64,
        skips: str = "attention",
        gate_gain: float = 1.0,
        upsample_kernel: int = 1,
        normalization: str = "instance",
        channels: int = 1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if skips not in SKIPS:
            raise ValueError(f"Argument `skips` must be one of {SKIPS}. Found: {skips!r}")
        self.filters = filters
        self.skips = skips
        self.gate_gain = gate_gain
        self.upsample_kernel = upsample_kernel
        self.normalization = normalization
        self.channels = channels
        conv = {"padding": "reflect", "kernel_initializer": generator_initializer()}
        use_bias = normalization == "none"
        # TensorFlow resizes to float32 whatever it is given, and XLA's gradient of it fits no other precision.
        self.upsample = keras.layers.UpSampling2D(2, interpolation="bilinear", dtype="float32")
        self.convs = [
            PaddedConv2D(2 * filters, upsample_kernel, use_bias=use_bias, name="decode_half", **conv),
            PaddedConv2D(filters, upsample_kernel, use_bias=use_bias, name="decode_full", **conv),
        ]
        self.norms = [make_normalization(normalization, name=f"decoder_norm_{i}") for i in range(2)]
        self.gates = []
        if skips == "attention":
            self.gates = [
                AttentionGate(width * filters // 2, gate_gain, name=f"gate_{name}")
                for width, name in ((4, "quarter"), (2, "half"), (1, "full"))
            ]
        self.head = PaddedConv2D(channels, 7, dtype="float32", name="head", **conv)

    def build(self, inputs_shape, full_shape, half_shape, quarter_shape):
        encoded = (quarter_shape, half_shape, full_shape)
        shape = self._build_join(0, encoded, inputs_shape)
        for level, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True), start=1):
            conv.build(shape)
            shape = (*encoded[level][:-1], conv.filters)
            norm.build(shape)
            shape = self._build_join(level, encoded, shape)
        self.head.build(shape)
        super().build(inputs_shape)

    def _build_join(self, level, encoded, decoded):
        if not self.gates:
            return decoded
        self.gates[level].build(encoded[level], decoded)
        return (*decoded[:-1], encoded[level][-1] + decoded[-1])

    def call(self, inputs, full, half, quarter) -> tuple[tf.Tensor, tuple[tf.Tensor, ...]]:
        """Decodes `inputs` [batch, height / 4, width / 4, channels], which the body made from `quarter`.

        Args:
          inputs: as above.
          full, half, quarter: what `GeneratorEncoder` returned; the classic CycleGAN uses none of them.

        Returns:
          The image [batch, height, width, channels], float32 in [−1, 1], and the gates, coarsest first, each [batch, h, w, 1],
          float32 in [0, 1].
        """
        encoded = (quarter, half, full)
        gates = []
        x = self._join(0, encoded, inputs, gates)
        for level, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True), start=1):
            x = tf.nn.relu(norm(conv(self.upsample(x))))
            x = self._join(level, encoded, x, gates)
        return tf.tanh(self.head(x)), tuple(gates)

    def _join(self, level, encoded, decoded, gates):
        if not self.gates:
            return decoded
        gated, gate = self.gates[level](encoded[level], decoded, return_gate=True)
        gates.append(gate)
        return tf.concat([gated, decoded], axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "skips": self.skips,
            "gate_gain": self.gate_gain,
            "upsample_kernel": self.upsample_kernel,
            "normalization": self.normalization,
            "channels": self.channels,
        }
