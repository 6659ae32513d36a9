"""Self-training: how it is appended to a method, and what one update of it does."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import AugmentationConfig, uses
from attent_tf.data.augmentation import map_some_intensities
from attent_tf.errors import ConfigError
from attent_tf.methods import (
    SEGMENTOR,
    TEACHER,
    TO_SOURCE,
    TO_TARGET,
    Method,
    Part,
    Path,
    Slices,
    Stage,
    View,
    get_method,
    self_trained,
)
from tests.support.abdomen import NUM_CLASSES
from tests.support.inner_steps import make_inner, random_batch, small_config


def test_it_goes_on_with_the_labelled_slices_of_the_method_and_shows_the_target_as_deployed():
    stage = get_method("attent_st").stages[-1]
    labelled, target = stage.inputs
    assert labelled == get_method("attent_both").stages[-1].inputs[0]
    assert [view.through for view in labelled.views] == [(), (TO_TARGET, TO_SOURCE), (TO_TARGET,)]
    assert target == Slices("target", views=(View(), View((TO_SOURCE,))), labelled_by=TEACHER)
    assert not target.labels
    assert get_method("attent_st").deployment == (Path((TEACHER,)), Path((TO_SOURCE, TEACHER)))
    assert get_method("attent_both").deployment == (Path((SEGMENTOR,)), Path((TO_SOURCE, SEGMENTOR)))
    assert get_method("source_st").deployment == (Path((TEACHER,)),)
    assert get_method("source_st").stages[0] == get_method("source_only").stages[0]
    assert stage.translated is None


@pytest.mark.parametrize("name", ["attent", "pixel", "cycada", "pnp_adanet", "sifa_v2", "synseg"])
def test_it_is_appended_to_any_method(name):
    method = get_method(name)
    longer = Method("longer", "Longer", "with more", method.role, *self_trained(method.stages, method.deployment))
    assert longer.stages[:-1] == method.stages
    student, teacher = longer.stages[-1].parts
    assert student.begins_as == (method.stage_of(SEGMENTOR).id, SEGMENTOR)
    assert student.network == teacher.network == method.part(SEGMENTOR).network
    assert student.trained
    assert not teacher.trained
    assert [path.translators for path in longer.deployment] == [path.translators for path in method.deployment]
    assert {path.roles[-1] for path in longer.deployment} == {TEACHER}
    assert longer.stages[-1].translated is None
    assert longer.labelled == "source"


def test_keys_of_self_training_are_read_by_methods_that_have_it():
    assert uses(get_method("source_st"), "self_training.labels.gamma")
    assert not uses(get_method("attent_st"), "self_training.labels.gamma")
    assert uses(get_method("attent_st"), "self_training.labels.quantile")
    assert not uses(get_method("attent"), "self_training.steps")


def test_what_does_not_fit_together_is_told():
    stages = get_method("source_only").stages
    with pytest.raises(ConfigError, match="one segmentor, found \\['other', 'segmentor'\\]"):
        self_trained(stages, (Path((SEGMENTOR,)), Path(("other",))))
    alien = Stage("one", "One", "segmentation", "m:S", (Part(SEGMENTOR, "m:f", follows="nobody"),), (Slices("source"),))
    with pytest.raises(ConfigError, match="stage one: it has no network \\['nobody'\\] of its own"):
        Method("x", "X", "x", "adaptation", (alien,), (Path((SEGMENTOR,)),))


def _make(steps=50, **changes):
    inner = make_inner("source_st", "self_training", small_config(self_training=changes), steps=steps)
    return inner, tf.nest.map_structure(tf.constant, random_batch(inner.context.stage))


def _weights(network):
    return [v.numpy() for v in network.variables]


def _same(before, network):
    return all(np.array_equal(a, b) for a, b in zip(before, _weights(network), strict=True))


@pytest.mark.slow
def test_gradients_reach_s_alone_and_the_teacher_follows():
    inner, batch = _make(teacher_decay=0.9)
    inner.begin_averages()
    began = _weights(inner.segmentor)
    assert _same(began, inner.teacher)
    inner.update("joint", tf.constant(20, tf.int64), *batch)
    assert not _same(began, inner.segmentor)
    assert _same(began, inner.teacher)
    inner.follow(tf.constant(20, tf.int64))
    learned = _weights(inner.segmentor)
    for was, is_, mine in zip(began, learned, _weights(inner.teacher), strict=True):
        np.testing.assert_allclose(mine, 0.9 * was + 0.1 * is_, rtol=1e-5, atol=1e-7)
    assert [v.path.split("/")[0] for v in inner.segmentor_update.variables_updated[:1]] == ["segmentor"]
    assert not any(v.path.startswith(TEACHER) for v in inner.segmentor_update.variables_updated)


def test_the_target_counts_by_a_ramp_of_a_quarter_of_the_steps():
    inner, batch = _make(steps=40, target_weight=2.0)
    found = [float(inner.ramp(tf.constant(step, tf.int64))) for step in (0, 5, 10, 39)]
    assert found == pytest.approx([2 * math.exp(-5), 2 * math.exp(-1.25), 2, 2], rel=1e-6)
    assert float(inner.update("joint", tf.constant(5, tf.int64), *batch)["ramp"]) == pytest.approx(found[1])


def test_the_loss_is_that_of_labelled_slices_and_of_pixels_that_count():
    inner, ((x_s, y_s), (x_t, codes)) = _make(ramp_until=0.0)
    dice = dataclasses.replace(inner.context.config.segmentation, dice_weight=1.0, aux_weight=0.0)
    inner.context = dataclasses.replace(
        inner.context, config=dataclasses.replace(inner.context.config, segmentation=dice)
    )
    logits = inner.segmentor(tf.concat([x_s, x_t], 0), training=True).main.numpy().astype(np.float64)
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))

    def cross_entropy(part, classes, weights):
        of_pixels = -np.take_along_axis(logs[part], classes[..., None].astype(int), -1)[..., 0]
        return np.mean([(w * losses).sum() / (w > 0).sum() for w, losses in zip(weights, of_pixels, strict=True)])

    classes, level = codes.numpy() % 5, codes.numpy() // 5
    weights = np.array([1.0, 0.5, 0.0])[level]
    source = cross_entropy(slice(0, 4), y_s.numpy(), np.ones(y_s.shape))
    target = cross_entropy(slice(4, 8), classes, weights)
    metrics = inner.update("joint", tf.constant(0, tf.int64), (x_s, y_s), (x_t, codes))
    assert float(metrics["cross_entropy"]) == pytest.approx(source, rel=1e-4)
    assert float(metrics["cross_entropy_target"]) == pytest.approx(target, rel=1e-4)
    found = sum(float(metrics[name]) for name in ("cross_entropy", "dice", "cross_entropy_target", "dice_target"))
    assert float(metrics["segmentor"]) == pytest.approx(found, rel=1e-5)


def test_grey_values_are_mapped_by_the_class_whatever_it_weighs():
    rng = np.random.default_rng(0)
    images = tf.constant(rng.uniform(-0.9, 1, (2, 16, 16, 1)), tf.float32)
    labels = rng.integers(0, 5, (2, 16, 16)).astype(np.uint8)
    codes = (labels + 5 * rng.integers(0, 3, labels.shape)).astype(np.uint8)
    seeds, config = tf.constant([[1, 0], [1, 1]], tf.int64), AugmentationConfig("class_wise", intensity_share=1.0)
    mapped = [
        map_some_intensities(images, tf.constant(classes), seeds, config, NUM_CLASSES) for classes in (labels, codes)
    ]
    np.testing.assert_array_equal(*mapped)


def test_pixels_that_do_not_count_change_neither_loss():
    rng = np.random.default_rng(0)
    logits, other = (rng.normal(size=(2, 4, 4, 5)).astype(np.float32) for _ in range(2))
    labels = rng.integers(0, 5, (2, 4, 4))
    weights = np.ones((2, 4, 4), np.float32)
    weights[:, :2] = 0
    changed = np.where(weights[..., None] > 0, logits, other)
    relabelled = np.where(weights > 0, labels, (labels + 1) % 5)
    for loss, how in ((losses.cross_entropy_loss, weights), (losses.dice_loss, weights > 0)):
        np.testing.assert_allclose(loss(changed, relabelled, how), loss(logits, labels, how), rtol=1e-6)
        np.testing.assert_allclose(loss(logits, labels, how), loss(logits[:, 2:], labels[:, 2:]), rtol=1e-5)
    np.testing.assert_array_equal(losses.cross_entropy_loss(logits, labels, np.zeros_like(weights)), 0)
