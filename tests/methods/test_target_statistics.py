"""Statistics of the target: how the stage is appended to a method, and what it does to a segmentor."""

import dataclasses
import random

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import uses
from attent_tf.errors import ConfigError
from attent_tf.methods import SEGMENTOR, TO_SOURCE, Method, Part, Path, Slices, View, get_method, with_target_statistics
from attent_tf.training.steps.step import make_step
from tests.support.abdomen import ABDOMEN
from tests.support.inner_steps import make_inner, small_config


def _step_of(network):
    stage = dataclasses.replace(
        get_method("adabn").stage("statistics"), parts=(Part(SEGMENTOR, f"tests.support.one_norm:{network}"),)
    )
    return make_step(stage, small_config(), ABDOMEN, "mri2ct", steps=3)


def _image(*halves):
    """[1, 32, 32, 1], whose upper and lower half have these values."""
    return tf.constant(np.repeat(np.float32(halves), 16)[None, :, None, None] * np.ones((1, 1, 32, 1), np.float32))


@pytest.mark.parametrize("name", ["attent", "source_only", "entropy", "attent_both", "sifa_v1"])
def test_it_is_appended_to_any_method(name):
    method = get_method(name)
    longer = Method("longer", "Longer", "more", method.role, *with_target_statistics(method.stages, method.deployment))
    assert longer.stages[:-1] == method.stages
    assert longer.deployment == method.deployment
    (part,) = longer.stages[-1].parts
    assert part.begins_as == (method.stage_of(part.role).id, part.role)
    (target,) = longer.stages[-1].inputs
    assert target.domain == "target"
    assert not target.in_pairs
    assert [view.through for view in target.views] == [path.translators for path in method.deployment]


def test_both_paths_are_shown():
    method = get_method("attent_both")
    stages, _ = with_target_statistics(method.stages, method.deployment)
    assert stages[-1].inputs == (Slices("target", views=(View(), View((TO_SOURCE,)))),)


def test_paths_that_end_in_several_segmentors_are_refused():
    with pytest.raises(ConfigError, match="one segmentor, found \\['other', 'segmentor'\\]"):
        with_target_statistics(get_method("source_only").stages, (Path((SEGMENTOR,)), Path(("other",))))


def test_its_keys_are_read_by_methods_that_have_it():
    assert uses(get_method("adabn"), "statistics.steps")
    assert not uses(get_method("source_only"), "statistics.steps")
    assert uses(get_method("entropy"), "segmentation.aligner_statistics")
    assert not uses(get_method("source_only"), "segmentation.aligner_statistics")


def test_the_statistics_are_the_plain_means_of_those_of_all_batches():
    inner = _step_of("one_norm")
    norm = inner.segmentor.norm
    # Means 0, 0.5, 0.25; variances 1, 0.25, 0. What was there counts for nothing.
    norm.moving_mean.assign([7.0])
    found = []
    for step, image in enumerate([_image(-1, 1), _image(0, 1), _image(0.25, 0.25)]):
        inner.update("joint", tf.constant(step, tf.int64), image)
        found.append((float(norm.moving_mean[0]), float(norm.moving_variance[0])))
    np.testing.assert_allclose(found, [(0, 1), (0.25, 0.625), (0.25, 1.25 / 3)], atol=1e-6)


def test_weights_stay_to_the_last_bit():
    inner = make_inner("adabn", "statistics")
    trained = [variable.numpy() for variable in inner.segmentor.trainable_variables]
    assert trained
    before = [variable.numpy() for variable in inner.segmentor.non_trainable_variables]
    rng = np.random.default_rng(0)
    inner.update("joint", tf.constant(0, tf.int64), tf.constant(rng.uniform(-1, 1, (4, 32, 32, 1)), tf.float32))
    for was, variable in zip(trained, inner.segmentor.trainable_variables, strict=True):
        np.testing.assert_array_equal(was, variable.numpy())
    after = [variable.numpy() for variable in inner.segmentor.non_trainable_variables]
    assert all(np.any(a != b) for a, b in zip(before, after, strict=True))


def test_a_segmentor_without_batch_norms_is_refused():
    with pytest.raises(ConfigError, match="has no batch norms"):
        _step_of("no_norm")


@pytest.mark.slow
@pytest.mark.parametrize(("statistics", "moves"), [("labelled", False), ("own", True)])
@pytest.mark.parametrize(("method", "stage"), [("entropy", "segmentation"), ("minent", "segmentation")])
def test_statistics_of_target_slices_in_an_aligner_are_as_configured(method, stage, statistics, moves):
    random.seed(0)
    config = small_config(segmentation={"aligner_statistics": statistics})
    inner = make_inner(method, stage, config)
    variables = inner.segmentor.non_trainable_variables
    labelled = (tf.zeros((4, 32, 32, 1)), tf.zeros((4, 32, 32), tf.uint8))
    kept = []
    noise = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 1)).astype(np.float32)
    for target in (tf.zeros(noise.shape), tf.constant(noise)):
        inner = make_inner(method, stage, config)
        inner.update("aligned", tf.constant(0, tf.int64), labelled, target)
        kept.append([variable.numpy() for variable in inner.segmentor.non_trainable_variables])
    assert len(variables) == len(kept[0])
    assert any(np.any(a != b) for a, b in zip(*kept, strict=True)) == moves
