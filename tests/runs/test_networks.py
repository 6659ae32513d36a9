"""What training saved is what inference loads, to the last variable."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.errors import RunError
from attent_tf.methods import get_method
from attent_tf.runs import Run
from attent_tf.runs.networks import load_generators, load_segmentor
from attent_tf.training.checkpoints import Checkpoints
from attent_tf.training.segmentation import SegmentationStep
from attent_tf.training.translation import TranslationStep
from attent_tf.volumes import PrepareOptions
from tests.support.small_runs import TINY

_PREPARATION = PrepareOptions().to_json()


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, get_method("attent"), "mri2ct", load_config("demo", TINY), "", _PREPARATION)


def _scramble(variables):
    for i, variable in enumerate(variables):
        variable.assign(np.random.default_rng(i).uniform(0.1, 1, variable.shape).astype(np.float32))


def _save(run, stage, inner):
    step = tf.Variable(6, dtype=tf.int64)
    Checkpoints(run.stage_folder(stage) / "checkpoints", step, inner.state(), inner.pools(), print).save()


def _segmentation(run):
    inner = SegmentationStep(run.config.segmentation, "entropy", 32, 6, 4)
    _scramble(inner.segmentor.variables)
    return inner


def _assert_equal(a, b):
    assert len(a.variables) == len(b.variables) > 0
    for x, y in zip(a.variables, b.variables, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=x.path)


def test_both_generators_are_loaded_whole(run):
    inner = TranslationStep(run.config.translation, "attention_cyclegan", 32, 6, 1, 0)
    _scramble(inner.g_t2s.variables)
    _scramble(reversed(inner.g_s2t.variables))
    _save(run, "translation", inner)
    g_t2s, g_s2t = load_generators(run, "g_t2s", "g_s2t")
    _assert_equal(g_t2s, inner.g_t2s)
    _assert_equal(g_s2t, inner.g_s2t)


def test_the_segmentor_is_loaded_whole_with_its_batch_statistics(run):
    inner = _segmentation(run)
    _save(run, "segmentation", inner)
    assert len(inner.segmentor.non_trainable_variables) > 0
    _assert_equal(load_segmentor(run), inner.segmentor)


def test_a_checkpoint_restores_everything_that_an_update_changes(run):
    inner = _segmentation(run)
    batch = (tf.random.stateless_normal((4, 32, 32, 1), (0, 1)), tf.ones((4, 32, 32), tf.uint8))
    inner.update("aligned", tf.constant(0, tf.int64), batch, batch[0])
    _save(run, "segmentation", inner)
    again = SegmentationStep(run.config.segmentation, "entropy", 32, 6, 4)
    step = tf.Variable(0, dtype=tf.int64)
    checkpoints = Checkpoints(
        run.stage_folder("segmentation") / "checkpoints", step, again.state(), again.pools(), print
    )
    assert checkpoints.restore()
    assert step.numpy() == 6
    for name, parts in inner.state().items():
        for x, y in zip(parts, again.state()[name], strict=True):
            np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=name)


def test_a_run_without_checkpoints_says_what_to_train(run):
    with pytest.raises(RunError, match="--stage segmentation"):
        load_segmentor(run)


def test_weights_of_another_network_are_refused(run):
    _save(run, "segmentation", _segmentation(run))
    changed = dataclasses.replace(
        run.config, segmentation=dataclasses.replace(run.config.segmentation, rates=(1, 2, 3, 4))
    )
    with pytest.raises(RunError, match=r"another model|damaged"):
        load_segmentor(dataclasses.replace(run, config=changed))


def test_methods_without_a_translator_have_no_generators(run):
    with pytest.raises(RunError, match="source_only"):
        load_generators(dataclasses.replace(run, method=get_method("source_only")), "g_t2s")
