"""Dilated residual backbones of the segmentor (DeepLab-v2 on ResNet, section IV-A.3).

`resnet50` and `resnet101` have the layers of `keras.applications` (a bias in each convolution, the stride in the first 1×1
convolution of a stage), so that its ImageNet weights fit; their last two stages trade stride for dilation (2 and 4), which
gives output stride 8. `small` is a light network of plain residual blocks at output stride 4, for two CPU cores.
"""

import dataclasses
import functools
from collections.abc import Iterator

import keras
import tensorflow as tf

from attent_tf.layers import BatchNormalization, PaddedConv2D
from attent_tf.layers.building import build_in_turn
from attent_tf.models.imagenet import ImageNetInput

_IMAGENET_EPSILON = 1.001e-5


@dataclasses.dataclass(frozen=True)
class BackboneSpec:
    """What makes one backbone differ from another.

    Attributes:
      stem_filters: channels after the stem, which halves the resolution.
      stem_kernel: edge of the stem's kernel.
      pool: whether a 3×3 max pool with stride 2 follows the stem.
      bottleneck: whether blocks are 1×1–3×3–1×1 (output 4× as wide) or 3×3–3×3.
      filters, blocks, strides, dilations: of the four stages.
    """

    stem_filters: int
    stem_kernel: int
    pool: bool
    bottleneck: bool
    filters: tuple[int, ...]
    blocks: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]


BACKBONES = {
    "resnet50": BackboneSpec(64, 7, True, True, (64, 128, 256, 512), (3, 4, 6, 3), (1, 2, 1, 1), (1, 1, 2, 4)),
    "resnet101": BackboneSpec(64, 7, True, True, (64, 128, 256, 512), (3, 4, 23, 3), (1, 2, 1, 1), (1, 1, 2, 4)),
    "small": BackboneSpec(16, 5, False, False, (24, 48, 64, 64), (1, 1, 1, 1), (1, 2, 1, 1), (1, 1, 2, 4)),
}


@keras.saving.register_keras_serializable("attent_tf")
class ResidualUnit(keras.layers.Layer):
    """One residual block: convolutions with batch norm, a projected shortcut where the shape changes, ReLU.

    Args:
      filters: channels of the inner convolutions.
      bottleneck: 1×1–3×3–1×1 with 4× as many output channels, or 3×3–3×3.
      strides: step of the first convolution.
      dilation: the dilation of the 3×3 convolutions.
      project: whether the shortcut is a 1×1 convolution.
    """

    def __init__(self, filters: int, bottleneck: bool, strides: int, dilation: int, project: bool, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.bottleneck = bottleneck
        self.strides = strides
        self.dilation = dilation
        self.project = project
        # Of what it returns.
        self.channels = out = 4 * filters if bottleneck else filters
        if bottleneck:
            shapes = ((filters, 1, strides, 1), (filters, 3, 1, dilation), (out, 1, 1, 1))
        else:
            shapes = ((filters, 3, strides, dilation), (filters, 3, 1, dilation))
        self.convs = [
            PaddedConv2D(width, kernel, stride, rate, kernel_initializer="he_normal", name=f"conv_{i + 1}")
            for i, (width, kernel, stride, rate) in enumerate(shapes)
        ]
        self.norms = [_batch_norm(f"norm_{i + 1}") for i in range(len(shapes))]
        if project:
            self.shortcut = PaddedConv2D(out, 1, strides, kernel_initializer="he_normal", name="shortcut")
            self.shortcut_norm = _batch_norm("shortcut_norm")

    def build(self, input_shape):
        shape = input_shape
        for conv, norm in zip(self.convs, self.norms, strict=True):
            conv.build(shape)
            shape = (*shape[:-1], conv.filters)
            norm.build(shape)
        if self.project:
            self.shortcut.build(input_shape)
            self.shortcut_norm.build(shape)
        super().build(input_shape)

    def call(self, inputs, training=False):
        """Returns [batch, height / strides, width / strides, channels] for `inputs` [batch, height, width, channels]."""
        shortcut = self.shortcut_norm(self.shortcut(inputs), training=training) if self.project else inputs
        x = inputs
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = norm(conv(x), training=training)
            if i < len(self.convs) - 1:
                x = tf.nn.relu(x)
        return tf.nn.relu(x + shortcut)

    def conv_norms(self) -> Iterator[tuple]:
        """Yields each convolution, the batch norm after it, and what puts something in the norm's place."""
        for place, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            yield conv, norm, functools.partial(self.norms.__setitem__, place)
        if self.project:
            yield self.shortcut, self.shortcut_norm, functools.partial(setattr, self, "shortcut_norm")

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "bottleneck": self.bottleneck,
            "strides": self.strides,
            "dilation": self.dilation,
            "project": self.project,
        }


@keras.saving.register_keras_serializable("attent_tf")
class DilatedResNet(keras.Model):
    """The features of stages 3 and 4 of a residual network whose late stages are dilated.

    Args:
      backbone: a key of `BACKBONES`.
      imagenet_input: whether slices are shown as ImageNet's images were, for its weights (see `models.imagenet`).

    Raises:
      ValueError: the name is unknown.
    """

    def __init__(self, backbone: str = "resnet101", imagenet_input: bool = False, **kwargs):
        super().__init__(**kwargs)
        if backbone not in BACKBONES:
            raise ValueError(f"Argument `backbone` must be one of {sorted(BACKBONES)}. Found: {backbone!r}")
        self.backbone = backbone
        self.imagenet_input = imagenet_input
        self.entry = ImageNetInput(name="imagenet_input") if imagenet_input else None
        spec = BACKBONES[backbone]
        self.stem = PaddedConv2D(spec.stem_filters, spec.stem_kernel, 2, kernel_initializer="he_normal", name="stem")
        self.stem_norm = _batch_norm("stem_norm")
        self.pool = keras.layers.MaxPooling2D(3, 2) if spec.pool else None
        self.units = []
        self.stage_ends = []
        for stage, (filters, blocks, stride, dilation) in enumerate(
            zip(spec.filters, spec.blocks, spec.strides, spec.dilations, strict=True), start=1
        ):
            for block in range(blocks):
                self.units.append(
                    ResidualUnit(
                        filters,
                        spec.bottleneck,
                        stride if block == 0 else 1,
                        dilation,
                        project=block == 0,
                        name=f"stage_{stage}_block_{block + 1}",
                    )
                )
            self.stage_ends.append(len(self.units))

    @property
    def stage_channels(self) -> list[int]:
        """Number of channels of the features of each stage."""
        return [self.units[end - 1].channels for end in self.stage_ends]

    def build(self, input_shape):
        shape = input_shape if self.entry is None else self.entry.compute_output_shape(input_shape)
        shape = build_in_turn((self.stem, self.stem_norm), shape)
        for unit in self.units:
            unit.build(shape)
            shape = (*shape[:-1], unit.channels)
        super().build(input_shape)

    def call(self, inputs, training=False):
        """Returns the features of stage 3 and stage 4 of `inputs` [batch, height, width, channels]."""
        return self.stages(inputs, training)[2:]

    def stages(self, inputs, training=False) -> tuple[tf.Tensor, ...]:
        """Returns the features of all four stages of `inputs` [batch, height, width, channels]."""
        if self.entry is not None:
            inputs = self.entry(inputs)
        x = tf.nn.relu(self.stem_norm(self.stem(inputs), training=training))
        if self.pool is not None:
            # Zeros cannot win against the output of a ReLU, so this is a pool with one pixel of padding.
            x = self.pool(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]))
        features = []
        for count, unit in enumerate(self.units, start=1):
            x = unit(x, training=training)
            if count in self.stage_ends:
                features.append(x)
        return tuple(features)

    def conv_norms(self) -> Iterator[tuple]:
        """Yields what `ResidualUnit.conv_norms` yields, of the whole network."""
        yield self.stem, self.stem_norm, functools.partial(setattr, self, "stem_norm")
        for unit in self.units:
            yield from unit.conv_norms()

    def get_config(self):
        return {**super().get_config(), "backbone": self.backbone, "imagenet_input": self.imagenet_input}


def _batch_norm(name):
    return BatchNormalization(momentum=0.9, epsilon=_IMAGENET_EPSILON, name=name)
