"""Steps in mixed precision and compiled by XLA do what float32 steps do, nearly."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.inner_steps import make_inner, small_config

pytestmark = pytest.mark.slow

_SETTINGS = {"translation": {"pool_size": 2, "upsample_kernel": 1}, "segmentation": {"dice_weight": 1.0}}
_VARIANTS = (
    *((stage, "mixed_bfloat16", False) for stage in _SETTINGS),
    *((stage, "mixed_float16", False) for stage in _SETTINGS),
    ("segmentation", "float32", True),
    # XLA wants operands of one precision, and tells when it compiles; the gradients of resizing are those of a generator, which
    # need not be compiled in float32 as well.
    ("translation", "mixed_bfloat16", True),
)


# Traced, as what XLA compiles is: in a graph the skipping of a step is a condition. Untraced, the others take half as long.
_TRACED = "mixed_float16"


def _images(seed, count):
    rng = np.random.default_rng(seed)
    return tf.constant(rng.uniform(-1, 1, (count, 32, 32, 1)).astype(np.float32))


def _train(stage, precision, jit):
    random.seed(0)
    inner = make_inner("attent", stage, small_config(precision=precision, jit=jit, **_SETTINGS), steps=10)
    if stage == "translation":
        batch, phase = (_images(0, 1), _images(1, 1)), "anchored"
    else:
        labels = tf.constant(np.random.default_rng(2).integers(0, 5, (4, 32, 32)).astype(np.uint8))
        batch, phase = ((_images(0, 4), labels), _images(1, 4)), "aligned"
    update = tf.function(inner.update, autograph=False) if jit or precision == _TRACED else inner.update
    # The first scale of a float16 loss may be too large, and steps are skipped until it is not.
    steps = 12 if precision == "mixed_float16" else 3
    metrics = [update(phase, tf.constant(i, tf.int64), *batch) for i in range(steps)]
    return inner, [{name: float(value) for name, value in step.items()} for step in metrics]


@pytest.fixture(scope="module")
def plain():
    return {stage: _train(stage, "float32", False) for stage in ("translation", "segmentation")}


@pytest.mark.parametrize(("stage", "precision", "jit"), _VARIANTS)
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
    for update in inner.weight_updates.values():
        assert (update.loss_scale is not None) == (precision == "mixed_float16")
        moved = any(np.any(variable.numpy() != 0) for variable in update.optimizer.variables[2:])
        assert moved


def test_networks_of_a_mixed_step_compute_in_16_bits():
    inner = make_inner("attent", "translation", small_config(precision="mixed_bfloat16"))
    assert inner.to_source.encoder.convs[0].compute_dtype == "bfloat16"
    assert inner.to_source.decoder.head.compute_dtype == "float32"
    assert inner.judge_source.discriminator.convs[0].compute_dtype == "bfloat16"
    plain = make_inner("attent", "translation")
    assert plain.to_source.encoder.convs[0].compute_dtype == "float32"
