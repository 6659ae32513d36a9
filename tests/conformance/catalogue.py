"""Every public layer, model and loss, listed once: the properties of `tests/conformance/test_*.py` run over these rows.

A new layer, model or loss is one row here; `python -m tests.conformance.goldens NAME` then records its numbers.
`test_completeness.py` fails while a public class or function of the three packages has no row.
"""

import dataclasses
import functools
import importlib.util
from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from attent_tf import layers, losses, models
from attent_tf.layers.addons_normalization import AddonsInstanceNormalization
from attent_tf.layers.building import build_in_turn
from attent_tf.layers.processor import convolve, convolve_same, reflect_pad
from attent_tf.models.generator_encoder import generator_initializer
from attent_tf.models.imagenet import ImageNetInput
from attent_tf.models.pnp_segmentor import PnpEncoder
from attent_tf.models.resnet import BackboneSpec, ResidualUnit
from attent_tf.models.sifa_block import translator_initializer
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.optimizers import ConstantThenLinear, make_optimizer
from attent_tf.training.steps.alignment import alignment_maps
from tests.conformance.formula import classes, spread


@dataclasses.dataclass(frozen=True, eq=False)
class Row:
    """One subject of the properties.

    Attributes:
      name: of its tests and golden files.
      subject: the public class or function.
      make: gives a fresh callable; a network's weights are made by its first call.
      inputs: arrays of two examples that the callable takes.
      source: where the paper defines it; stands in the docstring of the subject or of its module.
      float32: indices of the (flattened) outputs that are float32 under any precision policy.
      needs: module that must be installed, if it is not one of the project's own requirements.
      large: whether its tests are left to the slow ones.
    """

    name: str
    subject: Callable
    make: Callable[[], Callable]
    inputs: tuple[np.ndarray, ...]
    source: str = ""
    float32: tuple[int, ...] = (0,)
    needs: str = ""
    large: bool = False

    @property
    def is_available(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or importlib.util.find_spec(self.needs) is not None


class PooledImages:
    """An image pool of two that is shown five images, one after another, so that it fills and exchanges."""

    def __init__(self):
        self.pool = ImagePool(2, (2, 2, 1))
        self.variables = list(self.pool.variables)

    def __call__(self, images, seeds):
        return tf.concat([self.pool.exchange(images[:1] + i, seeds[0] + i) for i in range(5)], axis=0)


def _prediction(main, aux, features, **options):
    return alignment_maps(models.SegmentorOutput(main, aux, features), **options)


_IMAGES = (spread(2, 32, 32, 1),)
_FEATURES = (spread(2, 8, 6, 4, scale=3.0),)
# Squares of these are beyond float16.
_LARGE = (spread(2, 8, 6, 4, scale=1000.0),)
_PATCHES = (spread(2, 3, 3, 1, scale=3.0),)
_TWO_PATCHES = (*_PATCHES, spread(2, 3, 3, 1, scale=3.0, start=5))
_LOGITS = (spread(2, 6, 6, 5, scale=8.0),)
_PREDICTION = (*_LOGITS, spread(2, 6, 6, 5, scale=8.0, start=3), spread(2, 3, 3, 4))
_LABELLED = (*_LOGITS, classes(2, 6, 6, count=5))

LAYERS = (
    Row(
        "attention_gate",
        layers.AttentionGate,
        lambda: layers.AttentionGate(3, gain=2.0),
        (*_FEATURES, spread(2, 8, 6, 2)),
        source="Eq. 1",
        float32=(),
    ),
    Row(
        "instance_normalization",
        layers.InstanceNormalization,
        layers.InstanceNormalization,
        _LARGE,
        source="section IV-A.3",
        float32=(),
    ),
    Row(
        "instance_normalization_affine",
        layers.InstanceNormalization,
        lambda: layers.InstanceNormalization(1e-3, affine=True),
        _FEATURES,
        float32=(),
    ),
    Row(
        "addons_instance_normalization",
        AddonsInstanceNormalization,
        AddonsInstanceNormalization,
        _LARGE,
        source="section IV-A.3",
        float32=(),
        needs="tensorflow_addons",
    ),
    Row(
        "batch_normalization",
        layers.BatchNormalization,
        lambda: layers.BatchNormalization(momentum=0.9),
        _LARGE,
        source="section IV-A.3",
        float32=(),
    ),
    Row(
        "padded_conv",
        layers.PaddedConv2D,
        lambda: layers.PaddedConv2D(3, 4, 2, padding="reflect"),
        _FEATURES,
        float32=(),
    ),
    Row(
        "padded_conv_dilated",
        layers.PaddedConv2D,
        lambda: layers.PaddedConv2D(3, 3, dilation=2, use_bias=False, kernel_initializer="he_normal"),
        _FEATURES,
        float32=(),
    ),
    Row(
        "residual_block", layers.ResidualBlock, lambda: layers.ResidualBlock(4), _FEATURES, source="Fig. 2", float32=()
    ),
    Row(
        "residual_block_without_norm",
        layers.ResidualBlock,
        lambda: layers.ResidualBlock(4, "none", "he_normal"),
        _FEATURES,
        float32=(),
    ),
    Row(
        "residual_unit",
        ResidualUnit,
        lambda: ResidualUnit(4, bottleneck=False, strides=1, dilation=2, project=False),
        _FEATURES,
        source="section IV-A.3",
        float32=(),
    ),
    Row(
        "residual_unit_bottleneck",
        ResidualUnit,
        lambda: ResidualUnit(2, bottleneck=True, strides=2, dilation=1, project=True),
        _FEATURES,
        float32=(),
    ),
    Row("conv_unit", layers.ConvUnit, lambda: layers.ConvUnit(3, 5, 2, dropout=0.25), _FEATURES, float32=()),
    Row(
        "growing_residual_block",
        layers.GrowingResidualBlock,
        lambda: layers.GrowingResidualBlock(6, dilation=2, activation="relu"),
        _FEATURES,
        float32=(),
    ),
    Row(
        "growing_residual_block_that_shrinks",
        layers.GrowingResidualBlock,
        lambda: layers.GrowingResidualBlock(3),
        _FEATURES,
        float32=(),
    ),
    Row("sifa_block", models.SifaBlock, lambda: models.SifaBlock(4), _FEATURES, float32=()),
    Row("sifa_tail", models.SifaTail, lambda: models.SifaTail((3, 2)), (*_FEATURES, spread(2, 32, 24, 1))),
    Row("atrous_head", models.AtrousHead, lambda: models.AtrousHead(5, (1, 2)), _FEATURES, source="section IV-A.3"),
    Row(
        "generator_encoder", models.GeneratorEncoder, lambda: models.GeneratorEncoder(3), _IMAGES, "Fig. 2", float32=()
    ),
    Row("generator_body", models.GeneratorBody, lambda: models.GeneratorBody(4, 2), _FEATURES, "Fig. 2", float32=()),
    Row(
        "generator_decoder",
        models.GeneratorDecoder,
        lambda: models.GeneratorDecoder(2, upsample_kernel=3),
        (*_FEATURES, spread(2, 32, 24, 2), spread(2, 16, 12, 3), spread(2, 8, 6, 4, start=7)),
        source="Fig. 2",
        float32=(0, 1, 2, 3),
        large=True,
    ),
    Row("imagenet_input", ImageNetInput, ImageNetInput, _IMAGES, source="section IV-A.3", float32=()),
)

MODELS = (
    Row("generator", models.Generator, lambda: models.Generator(4, 1), _IMAGES, source="Fig. 2", large=True),
    Row(
        "generator_without_skips",
        models.Generator,
        lambda: models.Generator(4, 1, skips="none", upsample_kernel=3, normalization="none", channels=3),
        (spread(2, 16, 24, 3),),
        large=True,
    ),
    Row(
        "patch_discriminator",
        models.PatchDiscriminator,
        lambda: models.PatchDiscriminator(4),
        _IMAGES,
        source="section IV-A.3",
    ),
    Row(
        "patch_discriminator_of_two_judgements",
        models.PatchDiscriminator,
        lambda: models.PatchDiscriminator(4, judgements=2),
        _IMAGES,
        large=True,
    ),
    Row(
        "map_discriminator",
        models.MapDiscriminator,
        lambda: models.MapDiscriminator(4),
        (spread(2, 64, 32, 5),),
        source="Fig. 3",
    ),
    Row(
        "pixel_discriminator",
        models.PixelDiscriminator,
        lambda: models.PixelDiscriminator(4),
        (spread(2, 8, 6, 5),),
    ),
    Row(
        "pnp_segmentor",
        models.PnpSegmentor,
        lambda: models.PnpSegmentor(2, filters=1),
        (spread(2, 16, 16, 1),),
        float32=(0, 1),
        large=True,
    ),
    Row("feature_critic", models.FeatureCritic, lambda: models.FeatureCritic(1), (spread(2, 32, 32, 5),), large=True),
    Row("mask_critic", models.MaskCritic, lambda: models.MaskCritic(1), (spread(2, 32, 32, 5),), large=True),
    Row(
        "dilated_resnet",
        models.DilatedResNet,
        lambda: models.DilatedResNet("small"),
        _IMAGES,
        source="section IV-A.3",
        float32=(),
        large=True,
    ),
    Row(
        "segmentor",
        models.DeepLabV2,
        lambda: models.DeepLabV2(5, "small", rates=(1, 2), imagenet_input=True),
        (spread(2, 16, 16, 1),),
        source="section IV-A.3",
        float32=(0, 1),
        large=True,
    ),
    Row("sifa_generator", models.SifaGenerator, lambda: models.SifaGenerator(3, 1), _IMAGES, large=True),
    Row(
        "sifa_generator_of_copies",
        models.SifaGenerator,
        lambda: models.SifaGenerator(2, 1, channels=3, copies=3),
        (spread(2, 16, 24, 3),),
        large=True,
    ),
    Row(
        "sifa_encoder",
        models.SifaEncoder,
        lambda: models.SifaEncoder(2, 6),
        (spread(2, 16, 16, 1),),
        float32=(),
        large=True,
    ),
    Row(
        "sifa_segmentor",
        models.SifaSegmentor,
        lambda: models.SifaSegmentor(5, filters=2, widest=6),
        (spread(2, 16, 16, 1),),
        float32=(0, 1),
        large=True,
    ),
    Row(
        "sifa_segmentor_without_lower_head",
        models.SifaSegmentor,
        lambda: models.SifaSegmentor(5, filters=2, widest=6, dropout=0.25, copies=3, lower_head=False),
        (spread(2, 16, 16, 1),),
        float32=(0, 1),
        large=True,
    ),
    Row(
        "sifa_decoder",
        models.SifaDecoder,
        lambda: models.SifaDecoder(2, 1),
        (spread(2, 4, 3, 6), spread(2, 32, 24, 1)),
        large=True,
    ),
)


def _loss(name, function, inputs, source="", **options):
    return Row(name, function, lambda: functools.partial(function, **options), inputs, source)


LOSSES = (
    _loss("real_loss", losses.real_loss, _PATCHES, "Eq. 2", kind="log_likelihood"),
    _loss("real_loss_least_squares", losses.real_loss, _PATCHES, kind="least_squares"),
    _loss("fake_loss", losses.fake_loss, _PATCHES, "Eq. 2", kind="log_likelihood"),
    _loss("fake_loss_least_squares", losses.fake_loss, _PATCHES, kind="least_squares"),
    _loss("fake_loss_wasserstein", losses.fake_loss, _PATCHES, kind="wasserstein"),
    _loss("discriminator_loss", losses.discriminator_loss, _TWO_PATCHES, "Eq. 2, 3 and 7", kind="log_likelihood"),
    _loss("decision_accuracy", losses.decision_accuracy, _TWO_PATCHES, kind="least_squares"),
    _loss("self_information_map", losses.self_information_map, _LOGITS, "Eq. 6"),
    _loss("entropy_map", losses.entropy_map, _LOGITS, "Eq. 6"),
    _loss("l1_loss", losses.l1_loss, (*_IMAGES, spread(2, 32, 32, 1, start=4)), "Eq. 4"),
    _loss("cross_entropy_loss", losses.cross_entropy_loss, _LABELLED, "Eq. 5"),
    _loss("dice_loss", losses.dice_loss, _LABELLED),
    _loss("squared_dice_loss", losses.squared_dice_loss, _LABELLED),
    _loss(
        "weighted_cross_entropy_loss",
        losses.weighted_cross_entropy_loss,
        _LABELLED,
        class_weights=(1.0, 1.0, 10.0, 10.0, 1.0),
        least_probability=0.005,
    ),
    _loss("class_counts", losses.class_counts, (classes(2, 6, 6, count=5),), classes=5),
    _loss("balancing_weights", losses.balancing_weights, (np.array([[6, 1, 1, 0, 0], [1, 2, 3, 4, 5]], np.float32),)),
    Row(
        "alignment_maps",
        alignment_maps,
        lambda: functools.partial(_prediction, on="softmax", entropy_channels="sum"),
        _PREDICTION,
        source="Eq. 6",
        float32=(0, 1),
    ),
)

FUNCTIONS = (
    Row("reflect_pad", reflect_pad, lambda: functools.partial(reflect_pad, pixels=2), _FEATURES, float32=()),
    Row(
        "convolve",
        convolve,
        lambda: lambda x: convolve(x, tf.cast(spread(5, 5, 2, 1), x.dtype)),
        (spread(2, 12, 16, 2),),
        float32=(),
    ),
    Row(
        "convolve_same",
        convolve_same,
        lambda: lambda x: convolve_same(x, tf.cast(spread(3, 3, 4, 3), x.dtype), 2),
        _FEATURES,
        float32=(),
    ),
    Row("leaky_relu", layers.leaky_relu, lambda: layers.leaky_relu, _FEATURES, source="section IV-A.3", float32=()),
    Row(
        "constant_then_linear",
        ConstantThenLinear,
        lambda: ConstantThenLinear(0.1, 10, 0.5),
        (np.array([0, 9], np.int64),),
    ),
)

# What it returns follows from what it was shown before, so that of the properties only some have a meaning.
STATEFUL = (Row("image_pool", ImagePool, PooledImages, (spread(2, 2, 2, 1), np.array([[7, 0], [7, 1]], np.int64))),)

NETWORKS = LAYERS + MODELS
ALL = NETWORKS + LOSSES + FUNCTIONS

# All but what counts and what plans: neither has a slope.
_WITHOUT_SLOPE = ("decision_accuracy", "class_counts", "constant_then_linear")
DIFFERENTIABLE = tuple(row for row in ALL if row.name not in _WITHOUT_SLOPE)

# Public, and not a function of tensors: what they do is tested beside the modules that hold them.
OTHERS = (
    layers.make_normalization,
    build_in_turn,
    make_optimizer,
    models.SegmentorOutput,
    models.draw_kernels,
    models.find_weights,
    models.load_imagenet,
    generator_initializer,
    translator_initializer,
    BackboneSpec,
    # No layer, but the first groups of a PnpSegmentor, whose row has them.
    PnpEncoder,
)


def over(rows):
    """Runs a test over rows; those whose module is not installed are skipped and say so."""
    return pytest.mark.parametrize(
        "row",
        [
            pytest.param(
                row,
                id=row.name,
                marks=[
                    pytest.mark.skipif(
                        not row.is_available,
                        reason=f"{row.needs} is not installed (the extra `addons`, Python 3.11)",
                    ),
                    *([pytest.mark.slow] if row.large else []),
                ],
            )
            for row in rows
        ],
    )
