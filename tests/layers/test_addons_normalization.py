"""The instance norm of TensorFlow Addons beside ours, where the extra `addons` is installed; a clear error where it is not."""

import importlib.util
import sys

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.errors import ConfigError
from attent_tf.layers import make_normalization
from attent_tf.methods import TO_SOURCE
from attent_tf.models import Generator
from attent_tf.runs import load_run
from attent_tf.runs.networks import load_parts, stored
from attent_tf.training.train import train
from tests.support.small_runs import TINY, SilentObserver

with_addons = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_addons") is None,
    reason="tensorflow_addons is not installed (the extra `addons`, Python 3.11)",
)


def _random(*shape):
    return tf.constant(np.random.default_rng(0).normal(5, 3, shape).astype(np.float32))


def test_without_addons_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_addons", None)
    with pytest.raises(ConfigError, match=r"ModuleNotFoundError\); install the extra `attent-tf\[addons\]`") as error:
        make_normalization("tfa_instance")
    assert "\n" not in str(error.value)


@with_addons
@pytest.mark.parametrize("batch", [1, 3])
def test_both_norms_have_the_same_numbers_and_gradients(batch):
    x = _random(batch, 6, 7, 4)
    results = []
    for kind in ("instance", "tfa_instance"):
        norm = make_normalization(kind)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = norm(x)
            total = tf.reduce_sum(y**3)
        results.append((y, tape.gradient(total, x)))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@with_addons
def test_generators_with_either_norm_share_their_checkpoints(tmp_path):
    ours, theirs = (Generator(4, 1, normalization=kind) for kind in ("instance", "tfa_instance"))
    x = _random(2, 16, 16, 1)
    for generator in (ours, theirs):
        generator(x)
    path = tf.train.Checkpoint(network=stored(theirs)).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(network=stored(ours)).read(path).assert_consumed()
    np.testing.assert_allclose(ours(x), theirs(x), atol=1e-5)


@with_addons
@pytest.mark.slow
def test_a_run_with_the_addons_norm_trains_and_loads(small_records, tmp_path):
    config = load_config("demo", [*TINY, "translation.normalization=tfa_instance"])
    train(small_records, tmp_path / "run", "pixel", "mri2ct", config, SilentObserver(), stage="translation")
    (generator,) = load_parts(load_run(tmp_path / "run"), TO_SOURCE)
    assert generator.get_config()["normalization"] == "tfa_instance"
    assert np.all(np.isfinite(generator(_random(1, 32, 32, 1))))
