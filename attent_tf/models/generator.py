"""The attention-gated generator G_t2s / G_s2t (section III-B, Fig. 2).

Layout of the authors' code: 7×7 convolution, two strided convolutions, residual blocks, two up-sampling steps (bilinear ×2,
then a convolution), 7×7 convolution, tanh. The skip connections from the three encoder features pass through attention gates
and are concatenated with the decoder feature of the same resolution. Without gates it is the generator of the classic
CycleGAN.
"""

import keras

from attent_tf.layers.building import build_in_turn
from attent_tf.models.generator_body import GeneratorBody
from attent_tf.models.generator_decoder import GeneratorDecoder
from attent_tf.models.generator_encoder import GeneratorEncoder


@keras.saving.register_keras_serializable("attent_tf")
class Generator(keras.Model):
    """Translates images of one domain into the style of the other: encoder, body, decoder.

    Args:
      filters: channels at full resolution (64 in the authors' code); 2× and 4× at the coarser two.
      residual_blocks: number of residual blocks at a quarter of the resolution (9).
      skips: `attention` for gated skip connections (Eq. 1), `none` for the classic CycleGAN.
      gate_gain: factor of each gate's output; 1 in the paper, 2 in the authors' code.
      upsample_kernel: kernel after each bilinear up-sampling (1 in the authors' code).
      normalization: see `attent_tf.layers.normalization`.
      channels: the number of channels of the images, in and out: 1, or 2k + 1 for a slice with k neighbours on each side.
      encoder: an encoder shared with other networks, with the same `filters`; None for an encoder of its own.

    Raises:
      ValueError: `skips` is unknown, or `encoder` has other `filters`.
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
        encoder: GeneratorEncoder | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if encoder is not None and encoder.filters != filters:
            raise ValueError(f"Argument `encoder` must have {filters} filters. Found: {encoder.filters}")
        self.filters = filters
        self.residual_blocks = residual_blocks
        self.skips = skips
        self.gate_gain = gate_gain
        self.upsample_kernel = upsample_kernel
        self.normalization = normalization
        self.channels = channels
        self._is_given = encoder is not None
        self.encoder = encoder or GeneratorEncoder(filters, normalization, name="encoder")
        self.body = GeneratorBody(4 * filters, residual_blocks, normalization, name="body")
        self.decoder = GeneratorDecoder(
            filters, skips, gate_gain, upsample_kernel, normalization, channels, name="decoder"
        )

    def build(self, input_shape):
        build_in_turn([self.encoder], input_shape)
        full, half, quarter = ((*input_shape[:-1], conv.filters) for conv in self.encoder.convs)
        self.body.build(quarter)
        self.decoder.build(quarter, full, half, quarter)
        super().build(input_shape)

    def call(self, inputs):
        """Translates `inputs` [batch, height, width, channels] in [−1, 1]; height and width divide by 4.

        Returns:
          [batch, height, width, channels] float32 in [−1, 1].
        """
        return self.translate_with_gates(inputs)[0]

    def translate_with_gates(self, inputs):
        """Returns the translation and the gates, coarsest first, each [batch, h, w, 1] float32 in [0, 1]."""
        features = self.encoder(inputs)
        return self.decoder(self.body(features[-1]), *features)

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
            # What is made from a configuration shares nothing with anybody.
            "encoder": keras.saving.serialize_keras_object(self.encoder) if self._is_given else None,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
