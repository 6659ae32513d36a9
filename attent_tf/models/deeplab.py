"""The segmentor S: DeepLab-v2 with a main head on stage 4 and an auxiliary head on stage 3 (section IV-A.3).

The paper names DeepLab-v2; the auxiliary head and the 3×3 kernels at rates 6, 12, 18 and 24 are those of the authors' code
(and of ADVENT).
"""

from collections.abc import Iterator
from typing import NamedTuple

import keras
import tensorflow as tf

from attent_tf.layers import PaddedConv2D
from attent_tf.layers.building import build_in_turn
from attent_tf.models.resnet import DilatedResNet


class SegmentorOutput(NamedTuple):
    """The output of S for a batch of images.

    Attributes:
      main: logits of the main head [batch, height, width, classes], float32, at the image's resolution.
      aux: logits of the auxiliary head, of the same shape.
      features: the backbone's last features [batch, height / stride, width / stride, channels].
      taps: features [batch, height / stride, width / stride, channels] of several depths, the earliest first; empty unless
        they were asked for.
    """

    main: tf.Tensor
    aux: tf.Tensor
    features: tf.Tensor
    taps: tuple[tf.Tensor, ...] = ()


@keras.saving.register_keras_serializable("attent_tf")
class AtrousHead(keras.layers.Layer):
    """The sum of 3×3 convolutions with different dilation rates, one output channel per class.

    Args:
      num_classes: C.
      rates: dilation rates.
    """

    def __init__(self, num_classes: int, rates: tuple[int, ...] = (6, 12, 18, 24), **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.rates = tuple(rates)
        self.branches = [
            PaddedConv2D(
                num_classes,
                3,
                dilation=rate,
                kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
                dtype="float32",
                name=f"rate_{rate}",
            )
            for rate in self.rates
        ]

    def build(self, input_shape):
        for branch in self.branches:
            branch.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Returns logits [batch, height, width, num_classes], float32, for `inputs` [batch, height, width, channels]."""
        return tf.add_n([branch(inputs) for branch in self.branches])

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "rates": self.rates}


@keras.saving.register_keras_serializable("attent_tf")
class DeepLabV2(keras.Model):
    """Segments images; softmax and entropy are left to the caller.

    Args:
      num_classes: C, with the background.
      backbone: `resnet101` (paper), `resnet50` or `small`; or a network shared with others, whose `imagenet_input` counts.
      rates: dilation rates of both heads.
      imagenet_input: whether the backbone is made for ImageNet weights, which `load_imagenet` brings.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str | DilatedResNet = "resnet101",
        rates: tuple[int, ...] = (6, 12, 18, 24),
        imagenet_input: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._is_given = isinstance(backbone, DilatedResNet)
        self.resnet = backbone if self._is_given else DilatedResNet(backbone, imagenet_input, name="resnet")
        self.imagenet_input = self.resnet.imagenet_input
        self.num_classes = num_classes
        self.rates = tuple(rates)
        self.main_head = AtrousHead(num_classes, self.rates, name="main_head")
        self.aux_head = AtrousHead(num_classes, self.rates, name="aux_head")

    def build(self, input_shape):
        build_in_turn([self.resnet], input_shape)
        *_, stage_3, stage_4 = self.resnet.stage_channels
        self.main_head.build((*input_shape[:-1], stage_4))
        self.aux_head.build((*input_shape[:-1], stage_3))
        super().build(input_shape)

    def call(self, inputs, training=False) -> SegmentorOutput:
        """Segments `inputs` [batch, height, width, channels] in [−1, 1]."""
        return self._segment(inputs, *self.resnet(inputs, training=training))

    def segment_with_taps(self, inputs, training=False) -> SegmentorOutput:
        """Segments `inputs` [batch, height, width, channels] and offers the features of stages 2, 3 and 4."""
        _, *taps = self.resnet.stages(inputs, training=training)
        return self._segment(inputs, *taps[1:])._replace(taps=tuple(taps))

    @property
    def encoder(self) -> DilatedResNet:
        """The backbone."""
        return self.resnet

    @property
    def upper_layers(self) -> list[keras.layers.Layer]:
        """The layers after stage 3 of the backbone: stage 4 and both heads."""
        return [*self.resnet.units[self.resnet.stage_ends[2] :], self.main_head, self.aux_head]

    def _segment(self, inputs, stage_3, stage_4):
        size = tf.shape(inputs)[1:3]
        return SegmentorOutput(
            main=_upsample(self.main_head(stage_4), size),
            aux=_upsample(self.aux_head(stage_3), size),
            features=stage_4,
        )

    def conv_norms(self) -> Iterator[tuple]:
        """Yields each convolution, the batch norm after it, and what puts something in the norm's place."""
        return self.resnet.conv_norms()

    def get_config(self):
        return {
            **super().get_config(),
            # What is made from a configuration shares nothing with anybody.
            "backbone": keras.saving.serialize_keras_object(self.resnet) if self._is_given else self.resnet.backbone,
            "num_classes": self.num_classes,
            "rates": self.rates,
            "imagenet_input": self.imagenet_input,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "backbone": keras.saving.deserialize_keras_object(config["backbone"])})


def _upsample(logits, size):
    return tf.image.resize(logits, size, method="bilinear")
