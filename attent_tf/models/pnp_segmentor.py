"""The segmentor of PnP-AdaNet (Dou et al., IEEE Access 2019), a dilated residual network of ten groups of layers."""

import keras
import tensorflow as tf

from attent_tf.layers import ConvUnit, GrowingResidualBlock, PaddedConv2D
from attent_tf.layers.building import build_in_turn
from attent_tf.models.deeplab import SegmentorOutput

# Of each group: widths of its residual blocks in multiples of the first, and whether a pool follows.
_GROUPS = (
    ((1,), True),
    ((2,), True),
    ((4, 4), True),
    ((8, 8), False),
    ((16, 16), False),
    ((16, 16), False),
    ((32, 32), False),
    ((32, 32), False),
)
# The first groups, which the encoder has; the next of them is dilated.
_ENCODED, _DILATED = 6, 7
# The edge of a pixel of the features, in pixels of the image.
_STRIDE = 8


@keras.saving.register_keras_serializable("attent_tf")
class PnpEncoder:
    """Groups 1 to 6, of one segmentor or of several.

    It is not a layer itself: weights have the names that they have in a network of one piece, so that they begin with the same
    values, and files fit.

    Args:
      filters: channels of the first group (16).
      dropout: share of values that training leaves out after each convolution (0.25).
    """

    def __init__(self, filters: int = 16, dropout: float = 0.25):
        self.filters = filters
        self.dropout = dropout
        self.stem = ConvUnit(filters, dropout=dropout, name="group_1_conv")
        self.groups = [_group(number, filters, dropout) for number in range(_ENCODED)]

    def get_config(self):
        return {"filters": self.filters, "dropout": self.dropout}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("attent_tf")
class PnpSegmentor(keras.Model):
    """Segments images; softmax and entropy are left to the caller.

    Groups 1 to 8 are residual blocks, the first after a convolution, the last dilated; group 9 is two convolutions; group 10
    makes 8 channels per class at full resolution by rearranging pixels. It has one head, which also serves as the auxiliary
    head.

    Args:
      num_classes: C, with the background.
      filters: channels of the first group (16).
      dropout: share of values that training leaves out after each convolution (0.25).
      encoder: an encoder shared with other networks, whose own settings count; None for an encoder of its own.
    """

    def __init__(
        self,
        num_classes: int,
        filters: int = 16,
        dropout: float = 0.25,
        encoder: PnpEncoder | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._is_given = encoder is not None
        self.encoder = encoder or PnpEncoder(filters, dropout)
        self.filters = filters = self.encoder.filters
        self.num_classes = num_classes
        self.dropout = dropout = self.encoder.dropout
        self.stem = self.encoder.stem
        self.groups = [
            *self.encoder.groups,
            *(_group(number, filters, dropout) for number in range(_ENCODED, len(_GROUPS))),
        ]
        self.pool = keras.layers.MaxPooling2D(2, name="pool")
        self.tops = [ConvUnit(32 * filters, dropout=dropout, name=f"group_9_conv_{i}") for i in (1, 2)]
        last = {"padding": "symmetric", "use_bias": False, "kernel_initializer": "he_normal"}
        self.spread = PaddedConv2D(_STRIDE**2 * 8 * num_classes, 3, name="group_10_conv", **last)
        self.head = PaddedConv2D(num_classes, 5, dtype="float32", name="head", **last)

    def build(self, input_shape):
        blocks = [block for group in self.groups for block in group]
        shape = build_in_turn((self.stem, *blocks, *self.tops, self.spread), input_shape)
        self.head.build((*shape[:-1], shape[-1] // _STRIDE**2))
        super().build(input_shape)

    def call(self, inputs, training=False) -> SegmentorOutput:
        """Segments `inputs` [batch, height, width, channels] in [−1, 1]; height and width divide by 8."""
        return self.segment_with_taps(inputs, training)._replace(taps=())

    def segment_with_taps(self, inputs, training=False) -> SegmentorOutput:
        """Segments `inputs` [batch, height, width, channels] and offers the features of groups 4 (thrice), 6, 7 and 9."""
        x = self.stem(inputs, training=training)
        group_outputs = []
        for blocks, (_, pools) in zip(self.groups, _GROUPS, strict=True):
            for block in blocks:
                x = block(x, training=training)
            if pools:
                x = self.pool(x)
            group_outputs.append(x)
        for top in self.tops:
            x = top(x, training=training)
        logits = self.head(tf.nn.depth_to_space(self.spread(x), _STRIDE))
        # At full resolution group 4 has two channels only, so it is shown three times.
        taps = (group_outputs[3],) * 3 + (group_outputs[5], group_outputs[6], x)
        return SegmentorOutput(main=logits, aux=logits, features=x, taps=taps)

    @property
    def upper_layers(self) -> list[keras.layers.Layer]:
        """What follows group 6."""
        return [*(block for group in self.groups[_ENCODED:] for block in group), *self.tops, self.spread, self.head]

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "num_classes": self.num_classes,
            "dropout": self.dropout,
            # What is made from a configuration shares nothing with anybody.
            "encoder": keras.saving.serialize_keras_object(self.encoder) if self._is_given else None,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})


def _group(number, filters, dropout):
    widths, _ = _GROUPS[number]
    return [
        GrowingResidualBlock(
            width * filters,
            dilation=2 if number == _DILATED else 1,
            dropout=dropout,
            name=f"group_{number + 1}_block_{block}",
        )
        for block, width in enumerate(widths, start=1)
    ]
