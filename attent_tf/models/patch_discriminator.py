"""The image discriminators D_s and D_t: PatchGAN with a 70×70 receptive field (section IV-A.3)."""

import itertools

import keras

from attent_tf.layers import PaddedConv2D, leaky_relu, make_normalization
from attent_tf.layers.building import build_in_turn


@keras.saving.register_keras_serializable("attent_tf")
class PatchDiscriminator(keras.Model):
    """Says whether each patch of an image is real: four times (Conv, InstanceNorm, LeakyReLU), then one convolution.

    The first of the four has no norm, as in CycleGAN. Kernels are 4×4, strides 2, 2, 2, 1, 1.

    Args:
      filters: channels of the first layer (64); doubled in each of the next three.
      normalization: see `attent_tf.layers.normalization`.
      judgements: number of logits of each patch; 2 for the source discriminator of SIFA, which answers two questions.
    """

    def __init__(self, filters: int = 64, normalization: str = "instance", judgements: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.judgements = judgements
        self.filters = filters
        self.normalization = normalization
        widths, strides = (1, 2, 4, 8), (2, 2, 2, 1)
        self.convs = [
            PaddedConv2D(width * filters, 4, stride, kernel_initializer=_initializer(), name=f"conv_{i}")
            for i, (width, stride) in enumerate(zip(widths, strides, strict=True))
        ]
        self.norms = [
            make_normalization("none" if i == 0 else normalization, name=f"norm_{i}") for i in range(len(widths))
        ]
        self.head = PaddedConv2D(judgements, 4, kernel_initializer=_initializer(), dtype="float32", name="head")

    def build(self, input_shape):
        units = itertools.chain.from_iterable(zip(self.convs, self.norms, strict=True))
        build_in_turn((*units, self.head), input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Judges `inputs` [batch, height, width, channels]; returns logits [batch, height/8 − 2, width/8 − 2, judgements]."""
        x = inputs
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = leaky_relu(norm(conv(x)))
        return self.head(x)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "normalization": self.normalization,
            "judgements": self.judgements,
        }


def _initializer():
    return keras.initializers.RandomNormal(stddev=0.02)
