"""Steps in mixed precision and compiled by XLA do what float32 steps do, nearly."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import SegmentationConfig, TranslationConfig
from attent_tf.training.segmentation import SegmentationStep
from attent_tf.training.translation import TranslationStep

pytestmark = pytest.mark.slow

_TRANSLATION = TranslationConfig(filters=4, residual_blocks=1, discriminator_filters=4, pool_size=2)
_SEGMENTATION = SegmentationConfig(backbone="small", rates=(1, 2), discriminator_filters=4, dice_weight=1.0)
_VARIANTS = (("mixed_bfloat16", False), ("mixed_float16", False), ("float32", True))


def _images(seed, count):
    rng = np.random.default_rng(seed)
    return tf.constant(rng.uniform(-1, 1, (count, 32, 32, 1)).astype(np.float32))


def _train(stage, precision, jit):
    keras.utils.set_random_seed(0)
    if stage == "translation":
        inner = TranslationStep(_TRANSLATION, "attention_cyclegan", 32, 10, 1, 0, precision=precision, jit=jit)
        batch, phase = (_images(0, 1), _images(1, 1)), "anchored"
    else:
        inner = SegmentationStep(_SEGMENTATION, "entropy", 32, 10, 4, precision=precision, jit=jit)
        labels = tf.constant(np.random.default_rng(2).integers(0, 5, (4, 32, 32)).astype(np.uint8))
        batch, phase = ((_images(0, 4), labels), _images(1, 4)), "aligned"
    update = tf.function(inner.update)
    # The first scale of a float16 loss may be too large, and steps are skipped until it is not.
    steps = 12 if precision == "mixed_float16" else 3
    metrics = [update(phase, tf.constant(i, tf.int64), *batch) for i in range(steps)]
    return inner, [{name: float(value) for name, value in step.items()} for step in metrics]


@pytest.fixture(scope="module")
def plain():
    return {stage: _train(stage, "float32", False) for stage in ("translation", "segmentation")}


@pytest.mark.parametrize(("precision", "jit"), _VARIANTS)
@pytest.mark.parametrize("stage", ["translation", "segmentation"])
def test_losses_are_those_of_float32_to_the_precision(plain, stage, precision, jit):
    inner, metrics = _train(stage, precision, jit)
    tolerance = 1e-3 if precision == "float32" else 0.05
    comparable = 1 if precision == "mixed_float16" else 3
    for mine, theirs in zip(metrics[:comparable], plain[stage][1], strict=False):
        for name, value in theirs.items():
            if "accuracy" not in name:
                assert mine[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name
    assert all(variable.dtype == tf.float32 for variable in inner.trainable_variables)
    assert keras.config.dtype_policy().name == "float32"
    for update in inner.updates().values():
        assert (update.loss_scale is not None) == (precision == "mixed_float16")
        moved = any(np.any(variable.numpy() != 0) for variable in update.optimizer.variables[2:])
        assert moved


def test_networks_of_a_mixed_step_compute_in_16_bits():
    inner = TranslationStep(_TRANSLATION, "attention_cyclegan", 32, 10, 1, 0, precision="mixed_bfloat16")
    assert inner.g_t2s.encoders[0].compute_dtype == "bfloat16"
    assert inner.g_t2s.head.compute_dtype == "float32"
    assert inner.d_source.convs[0].compute_dtype == "bfloat16"
    plain = TranslationStep(dataclasses.replace(_TRANSLATION), "attention_cyclegan", 32, 10, 1, 0)
    assert plain.g_t2s.encoders[0].compute_dtype == "float32"
