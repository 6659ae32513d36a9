"""The inner steps: they lower their losses, and do to each network what the paper's equations say."""

import dataclasses
import random

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.errors import ConfigError
from attent_tf.losses import entropy_map
from attent_tf.training.steps.alignment import alignment_maps
from tests.support.inner_steps import SEGMENTATION, make_inner, small_config

_SIZE = 32


def _images(count, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, (count, _SIZE, _SIZE, 1)).astype(np.float32))


def _discs(count):
    """Images with a bright disc of another size each, which is labelled liver."""
    r, c = np.mgrid[:_SIZE, :_SIZE] - (_SIZE - 1) / 2
    labels = np.stack([(r**2 + c**2 < (5 + i) ** 2) for i in range(count)]).astype(np.uint8)
    return tf.constant(labels[..., None] * 1.5 - 0.8, tf.float32), tf.constant(labels)


def _translation(**changes):
    return make_inner("attent", "translation", small_config(translation=changes))


def _weights(*models):
    return [v.numpy().copy() for model in models for v in model.trainable_variables]


@pytest.mark.slow
def test_translation_lowers_the_cycle_loss():
    step = _translation()
    update = tf.function(step.update, autograph=False)
    x_s, x_t = _discs(1)[0], -_discs(1)[0]
    losses = [float(update("free", tf.constant(i, tf.int64), x_s, x_t)["cycle"]) for i in range(25)]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.slow
def test_translation_changes_all_four_networks():
    step = _translation()
    models = list(step.networks.values())
    assert [model.name for model in models] == ["ct_to_mri", "mri_to_ct", "judge_mri", "judge_ct"]
    before = [_weights(model) for model in models]
    step.update("anchored", tf.constant(0, tf.int64), _images(1), _images(1, 1))
    for model, weights in zip(models, before, strict=True):
        assert any(np.any(a != b) for a, b in zip(_weights(model), weights, strict=True)), model.name


@pytest.mark.slow
def test_the_generator_loss_is_the_weighted_sum_of_its_parts():
    step = _translation(cycle_weight=7.0, identity_weight=3.0)
    m = {k: float(v) for k, v in step.update("anchored", tf.constant(0, tf.int64), _images(1), _images(1, 1)).items()}
    expected = m["adversarial_ct_to_mri"] + m["adversarial_mri_to_ct"] + 7 * m["cycle"] + 3 * m["identity"]
    assert m["generator"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_the_identity_anchor_lasts_as_long_as_it_is_told():
    step = _translation()
    assert step.phase(0) == ("anchored", 5)
    assert step.phase(5) == ("free", None)
    assert _translation(identity_steps=0).phase(10**6) == ("anchored", None)
    assert _translation(identity_weight=0.0).phase(0) == ("free", None)


@pytest.mark.slow
def test_without_the_anchor_no_identity_is_computed():
    step = _translation()
    metrics = step.update("free", tf.constant(9, tf.int64), _images(1), _images(1, 1))
    assert float(metrics["identity"]) == 0
    assert set(metrics) == set(step.metric_names)


def _segmentation(method="source_only", size=_SIZE, **changes):
    return make_inner(method, "segmentation", small_config(size, segmentation=changes), steps=60)


@pytest.mark.slow
def test_segmentation_learns_the_disc():
    step = _segmentation(segmentor=dataclasses.replace(SEGMENTATION.segmentor, learning_rate=3e-3), dice_weight=1.0)
    update = tf.function(step.update, autograph=False)
    losses = [float(update("supervised", tf.constant(i, tf.int64), _discs(4))["segmentor"]) for i in range(40)]
    assert losses[-1] < 0.4 * losses[0]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "size"), [("entropy", 32), ("adaptseg", 32), ("advent", 32), ("feature", 128)])
def test_alignment_trains_the_discriminator_on_both_domains(method, size):
    step = _segmentation(
        method,
        size,
        segmentor=dataclasses.replace(SEGMENTATION.segmentor, learning_rate=1e-9),
        aligner_main_weight=0.0,
    )
    for head in (step.segmentor.main_head, step.segmentor.aux_head):
        for weight in head.weights:
            # A fresh head is equally unsure of everything, so that no map would tell the domains apart.
            weight.assign(100.0 * weight)
    for adversary in step.adversaries:
        step.weight_updates[adversary.name].optimizer.learning_rate = 1e-2
    update = tf.function(step.update, autograph=False)
    labelled = (tf.image.resize(_discs(4)[0], (size, size)), tf.zeros((4, size, size), tf.uint8))
    target = tf.image.resize(_images(4), (size, size), method="nearest")
    first, *later = (
        float(update("aligned", tf.constant(i, tf.int64), labelled, target)["discriminator"]) for i in range(25)
    )
    # At so high a rate a loss that is all but zero jumps up now and then.
    assert min(later) < 0.7 * first


def test_maps_too_small_for_the_discriminator_are_refused():
    with pytest.raises(ConfigError, match=r"data\.image_size"):
        _segmentation("feature", 64)


@pytest.mark.slow
def test_alignment_lowers_the_loss_of_equation_8_for_fixed_discriminators():
    step = _segmentation(
        "entropy",
        main_weight=0.0,
        aux_weight=0.0,
        aligner_main_weight=1.0,
        aligner_aux_weight=1.0,
        segmentor=dataclasses.replace(SEGMENTATION.segmentor, learning_rate=1e-3),
        discriminator=dataclasses.replace(SEGMENTATION.discriminator, learning_rate=1e-12),
    )
    update = tf.function(step.update, autograph=False)
    values = [float(update("aligned", tf.constant(i, tf.int64), _discs(4), _images(4))["alignment"]) for i in range(25)]
    assert values[-1] < values[0]


def test_the_aligner_waits_for_its_warm_up():
    step = _segmentation("entropy", aligner_warmup_steps=3)
    assert step.phase(2) == ("supervised", 3)
    assert step.phase(3) == ("aligned", None)
    judges = [adversary.discriminator for adversary in step.adversaries]
    before = _weights(*judges)
    step.update("supervised", tf.constant(0, tf.int64), _discs(4), _images(4))
    for a, b in zip(_weights(*judges), before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_target_images_leave_the_batch_statistics_alone():
    def statistics(phase, target):
        random.seed(0)
        step = _segmentation("entropy")
        step.update(phase, tf.constant(0, tf.int64), _discs(4), target)
        return [v.numpy() for v in step.segmentor.non_trainable_variables]

    # The two graphs may round otherwise.
    for a, b in zip(statistics("aligned", 5 * _images(4)), statistics("supervised", None), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.slow
def test_the_discriminator_is_shown_the_map_of_equation_6():
    step = _segmentation("entropy")
    output = step.segmentor(_images(1))
    maps = alignment_maps(output, "entropy", "sum")
    np.testing.assert_array_equal(maps[0], entropy_map(output.main))
    assert [m.shape[-1] for m in maps] == [1, 1]
    assert [m.shape[-1] for m in alignment_maps(output, "entropy", "class")] == [5, 5]
    assert [m.shape[-1] for m in alignment_maps(output, "features", "sum")] == [64]
