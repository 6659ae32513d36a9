"""The attention-gated generator G_t2s / G_s2t (section III-B, Fig. 2).

Layout of the authors' code: 7×7 convolution, two strided convolutions, residual blocks, two up-sampling steps (bilinear ×2,
then a convolution), 7×7 convolution, tanh. The skip connections from the three encoder features pass attention gates and are
concatenated with the decoder feature of the same resolution. Without gates it is the generator of the classic CycleGAN.
"""

import keras
import tensorflow as tf

from attent_tf.layers import AttentionGate, PaddedConv2D, ResidualBlock, make_normalization

SKIPS = ("attention", "none")


@keras.saving.register_keras_serializable("attent_tf")
class Generator(keras.Model):
    """Translates images of one domain into the style of the other.

    Args:
      filters: channels at full resolution (64 in the authors' code); 2× and 4× at the coarser two.
      residual_blocks: number of residual blocks at a quarter of the resolution (9).
      skips: `attention` for gated skip connections (Eq. 1), `none` for the classic CycleGAN.
      gate_gain: factor of each gate's output; 1 in the paper, 2 in the authors' code.
      upsample_kernel: kernel after each bilinear up-sampling (1 in the authors' code).
      normalization: see `attent_tf.layers.normalization`.
      channels: of the images, in and out: 1, or 2k + 1 for a slice with k neighbours on each side.

    Raises:
      ValueError: `skips` is unknown.
    """

    def __init__(
        self,
        filters: int = 64,
        residual_blocks: int = 9,
        skips: str = "attention",
        gate_gain: float = 1.0,
        upsample_kernel: int = 1,
        normalization: str = "instance",
        channels: int = 1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if skips not in SKIPS:
            raise ValueError(f"Argument `skips` must be one of {SKIPS}. Received: {skips!r}")
        self.filters = filters
        self.residual_blocks = residual_blocks
        self.skips = skips
        self.gate_gain = gate_gain
        self.upsample_kernel = upsample_kernel
        self.normalization = normalization
        self.channels = channels

        conv = {"padding": "reflect", "kernel_initializer": _initializer(), "use_bias": normalization == "none"}
        self.encoders = [
            PaddedConv2D(filters, 7, name="encode_full", **conv),
            PaddedConv2D(2 * filters, 3, strides=2, name="encode_half", **conv),
            PaddedConv2D(4 * filters, 3, strides=2, name="encode_quarter", **conv),
        ]
        self.encoder_norms = [make_normalization(normalization, name=f"encoder_norm_{i}") for i in range(3)]
        self.blocks = [
            ResidualBlock(4 * filters, normalization, _initializer(), name=f"block_{i}") for i in range(residual_blocks)
        ]
        self.upsample = keras.layers.UpSampling2D(2, interpolation="bilinear")
        self.decoders = [
            PaddedConv2D(2 * filters, upsample_kernel, name="decode_half", **conv),
            PaddedConv2D(filters, upsample_kernel, name="decode_full", **conv),
        ]
        self.decoder_norms = [make_normalization(normalization, name=f"decoder_norm_{i}") for i in range(2)]
        self.gates = []
        if skips == "attention":
            self.gates = [
                AttentionGate(width * filters // 2, gate_gain, name=f"gate_{name}")
                for width, name in ((4, "quarter"), (2, "half"), (1, "full"))
            ]
        self.head = PaddedConv2D(
            channels, 7, padding="reflect", kernel_initializer=_initializer(), dtype="float32", name="head"
        )

    def call(self, inputs):
        """Translates `inputs` [batch, height, width, channels] in [−1, 1]; height and width divide by 4.

        Returns:
          [batch, height, width, channels] float32 in [−1, 1].
        """
        return self._translate(inputs)[0]

    def translate_with_gates(self, inputs):
        """Returns the translation and the gates, coarsest first, each [batch, h, w, 1] float32 in [0, 1]."""
        return self._translate(inputs)

    def _translate(self, inputs):
        features = []
        x = inputs
        for conv, norm in zip(self.encoders, self.encoder_norms, strict=True):
            x = tf.nn.relu(norm(conv(x)))
            features.append(x)
        for block in self.blocks:
            x = block(x)
        gates = []
        x = self._join(0, features[2], x, gates)
        for level, (conv, norm) in enumerate(zip(self.decoders, self.decoder_norms, strict=True), start=1):
            x = tf.nn.relu(norm(conv(self.upsample(x))))
            x = self._join(level, features[2 - level], x, gates)
        return tf.tanh(self.head(x)), gates

    def _join(self, level, encoded, decoded, gates):
        if not self.gates:
            return decoded
        gated, gate = self.gates[level](encoded, decoded, return_gate=True)
        gates.append(gate)
        return tf.concat([gated, decoded], axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "residual_blocks": self.residual_blocks,
            "skips": self.skips,
            "gate_gain": self.gate_gain,
            "upsample_kernel": self.upsample_kernel,
            "normalization": self.normalization,
            "channels": self.channels,
        }


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.02)
