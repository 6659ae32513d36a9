"""What training saved is what inference loads, to the last variable."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.errors import RunError
from attent_tf.methods import SEGMENTOR, TO_SOURCE, TO_TARGET, get_method
from attent_tf.runs import Run
from attent_tf.runs.networks import begin_parts, load_parts
from attent_tf.tasks import load_task
from attent_tf.training.checkpoints import Checkpoints
from attent_tf.training.steps.step import make_step
from attent_tf.volumes import PrepareOptions
from tests.support.small_runs import TINY

_PREPARATION = PrepareOptions()


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, get_method("attent"), "mri2ct", load_config("demo", TINY), "", _PREPARATION, load_task())


def _inner(run, stage, method="attent"):
    return make_step(get_method(method).stage(stage), run.config, run.task, run.direction)


def _scramble(variables):
    for i, variable in enumerate(variables):
        variable.assign(np.random.default_rng(i).uniform(0.1, 1, variable.shape).astype(np.float32))


def _save(run, stage, inner):
    step = tf.Variable(6, dtype=tf.int64)
    Checkpoints(run.stage_folder(stage) / "checkpoints", step, inner.state(), inner.image_pools, print).save()


def _segmentation(run):
    inner = _inner(run, "segmentation")
    _scramble(inner.segmentor.variables)
    return inner


def _assert_equal(a, b):
    assert len(a.variables) == len(b.variables) > 0
    for x, y in zip(a.variables, b.variables, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=x.path)


def _translation(run):
    inner = _inner(run, "translation")
    _scramble(inner.to_source.variables)
    _scramble(reversed(inner.to_target.variables))
    _save(run, "translation", inner)
    return inner


@pytest.mark.slow
def test_both_generators_are_loaded_whole(run):
    inner = _translation(run)
    to_source, to_target = load_parts(run, TO_SOURCE, TO_TARGET)
    _assert_equal(to_source, inner.to_source)
    _assert_equal(to_target, inner.to_target)


@pytest.mark.slow
def test_a_checkpoint_names_its_networks_by_domain_and_serves_both_directions(run):
    inner = _translation(run)
    assert {"ct_to_mri", "mri_to_ct", "judge_mri", "judge_ct"} <= inner.state().keys()
    to_source, to_target = load_parts(dataclasses.replace(run, direction="ct2mri"), TO_SOURCE, TO_TARGET)
    _assert_equal(to_source, inner.to_target)
    _assert_equal(to_target, inner.to_source)


@pytest.mark.slow
def test_the_segmentor_is_loaded_whole_with_its_batch_statistics(run):
    inner = _segmentation(run)
    _save(run, "segmentation", inner)
    assert len(inner.segmentor.non_trainable_variables) > 0
    _assert_equal(*load_parts(run, SEGMENTOR), inner.segmentor)


@pytest.mark.slow
def test_a_part_begins_as_one_of_an_earlier_stage(run):
    earlier = _segmentation(run)
    _save(run, "segmentation", earlier)
    stage = get_method("attent").stage("segmentation")
    (part, *judges) = stage.parts
    later = dataclasses.replace(
        stage, id="later", parts=(dataclasses.replace(part, begins_as=("segmentation", SEGMENTOR)), *judges)
    )
    inner = make_step(later, run.config, run.task, run.direction)
    begin_parts(run, later, inner.networks)
    _assert_equal(inner.segmentor, earlier.segmentor)


@pytest.mark.slow
def test_a_frozen_part_is_not_updated(run):
    stage = get_method("source_only").stage("segmentation")
    frozen = dataclasses.replace(stage, parts=(dataclasses.replace(stage.parts[0], frozen=True),))
    inner = make_step(frozen, run.config, run.task, run.direction)
    assert inner.segmentor_update.variables_updated == []
    assert len(_inner(run, "segmentation", "source_only").segmentor_update.variables_updated) > 0


@pytest.mark.slow
def test_a_checkpoint_restores_everything_that_an_update_changes(run):
    inner = _segmentation(run)
    batch = (tf.random.stateless_normal((4, 32, 32, 1), (0, 1)), tf.ones((4, 32, 32), tf.uint8))
    inner.update("aligned", tf.constant(0, tf.int64), batch, batch[0])
    _save(run, "segmentation", inner)
    again = _inner(run, "segmentation")
    step = tf.Variable(0, dtype=tf.int64)
    checkpoints = Checkpoints(
        run.stage_folder("segmentation") / "checkpoints", step, again.state(), again.image_pools, print
    )
    assert checkpoints.restore()
    assert step.numpy() == 6
    for name, parts in inner.state().items():
        for x, y in zip(parts, again.state()[name], strict=True):
            np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=name)


def test_a_run_without_checkpoints_says_what_to_train(run):
    with pytest.raises(RunError, match="--stage segmentation"):
        load_parts(run, SEGMENTOR)


@pytest.mark.slow
def test_weights_of_another_network_are_refused(run):
    _save(run, "segmentation", _segmentation(run))
    changed = dataclasses.replace(
        run.config, segmentation=dataclasses.replace(run.config.segmentation, rates=(1, 2, 3, 4))
    )
    with pytest.raises(RunError, match=r"another model|damaged"):
        load_parts(dataclasses.replace(run, config=changed), SEGMENTOR)


def test_methods_without_a_translator_have_no_generators(run):
    with pytest.raises(RunError, match="source_only has no network 'to_source'"):
        load_parts(dataclasses.replace(run, method=get_method("source_only")), TO_SOURCE)
