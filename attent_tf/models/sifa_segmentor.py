"""The segmentor of SIFA (Chen et al., TMI 2020): the encoder e_B with one 1×1 convolution on its output, s_B, and one on its
lower level, s_B_ll."""

from collections.abc import Iterator

import keras
import tensorflow as tf

from attent_tf.layers import PaddedConv2D
from attent_tf.layers.building import build_in_turn
from attent_tf.models.deeplab import SegmentorOutput
from attent_tf.models.sifa_encoder import SifaEncoder


@keras.saving.register_keras_serializable("attent_tf")
class SifaSegmentor(keras.Model):
    """Segments images; its features are what `SifaDecoder` brings back to source style.

    Args:
      num_classes: C, with the background.
      filters: see `SifaEncoder`.
      widest: see `SifaEncoder`.
      dropout: see `SifaEncoder`.
      copies: see `SifaEncoder`.
      lower_head: whether the lower level has a head; without it (SIFA v1) `aux` is `main`.
      encoder: an encoder shared with other networks, whose own settings count; None for an encoder of its own.
    """

    def __init__(
        self,
        num_classes: int,
        filters: int = 16,
        widest: int = 512,
        dropout: float = 0.0,
        copies: int = 1,
        lower_head: bool = True,
        encoder: SifaEncoder | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self._is_given = encoder is not None
        self.encoder = encoder or SifaEncoder(filters, widest, dropout, copies, name="encoder")
        self.lower_head = lower_head
        self.main_head = _head(num_classes, "main_head")
        self.aux_head = _head(num_classes, "aux_head") if lower_head else None

    def build(self, input_shape):
        build_in_turn([self.encoder], input_shape)
        self.main_head.build((*input_shape[:-1], self.encoder.top[-1].filters))
        if self.lower_head:
            self.aux_head.build((*input_shape[:-1], self.encoder.levels[-1][-1].filters))
        super().build(input_shape)

    def call(self, inputs, training=False) -> SegmentorOutput:
        """Segments `inputs` [batch, height, width, channels] in [−1, 1]."""
        size = tf.shape(inputs)[1:3]
        output, lower = self.encoder(inputs, training=training)
        main = tf.image.resize(self.main_head(output), size, method="bilinear")
        aux = tf.image.resize(self.aux_head(lower), size, method="bilinear") if self.lower_head else main
        return SegmentorOutput(main, aux, output)

    def conv_norms(self) -> Iterator[tuple]:
        """Yields each convolution, the batch norm after it, and what puts something in the norm's place."""
        return self.encoder.conv_norms()

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "filters": self.encoder.filters,
            "widest": self.encoder.widest,
            "dropout": self.encoder.dropout,
            "copies": self.encoder.copies,
            "lower_head": self.lower_head,
            # What is made from a configuration shares nothing with anybody.
            "encoder": keras.saving.serialize_keras_object(self.encoder) if self._is_given else None,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})


def _head(num_classes, name):
    initializer = keras.initializers.TruncatedNormal(stddev=0.01)
    return PaddedConv2D(num_classes, 1, use_bias=False, kernel_initializer=initializer, dtype="float32", name=name)
