"""AdaptSegNet, ADVENT and MinEnt: networks, what the discriminators see, and whom each loss reaches."""

import dataclasses
import random

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.methods import JUDGE_AUX, JUDGE_MAIN, SEGMENTOR, Path, get_method
from attent_tf.models import AtrousHead
from attent_tf.runs.configured import map_discriminator
from tests.support.inner_steps import SEGMENTATION, make_inner, random_batch, small_config

ADVERSARIAL = ("adaptseg", "advent")


def _make(method, **changes):
    inner = make_inner(method, "segmentation", small_config(segmentation=changes))
    labelled, target = random_batch(inner.context.stage)
    return inner, tuple(map(tf.constant, labelled)), tf.constant(target)


@pytest.mark.parametrize("method", [*ADVERSARIAL, "minent"])
def test_s_learns_from_labelled_source_and_bare_target_and_is_deployed_as_it_is(method):
    (stage,) = get_method(method).stages
    assert [(slices.domain, slices.labels) for slices in stage.inputs] == [("source", True), ("target", False)]
    assert not any(view.through for slices in stage.shown for view in slices.views)
    assert get_method(method).deployment == (Path((SEGMENTOR,)),)


@pytest.mark.slow
@pytest.mark.parametrize("method", ADVERSARIAL)
def test_both_heads_have_a_discriminator_of_one_channel_for_each_class(method):
    # ADVENT's has C channels whatever entropy maps have.
    inner, *_ = _make(method, entropy_channels="sum")
    assert set(inner.networks) == {SEGMENTOR, JUDGE_MAIN, JUDGE_AUX}
    for role in (JUDGE_MAIN, JUDGE_AUX):
        assert inner.networks[role].convs[0].kernel.shape == (4, 4, 5, 4)


@pytest.mark.parametrize("name", ["released-adaptseg", "released-advent"])
def test_the_discriminator_at_full_size(name):
    discriminator = map_discriminator(load_config(name), 5, 1, "judge_main")
    assert discriminator(tf.zeros((1, 256, 256, 5))).shape == (1, 8, 8, 1)
    # Five 4×4 convolutions with a bias: 5 → 64 → 128 → 256 → 512 → 1.
    assert discriminator.count_params() == 5_184 + 131_200 + 524_544 + 2_097_664 + 8_193


@pytest.mark.parametrize(("name", "branches"), [("released-adaptseg", 2), ("released-advent", 4)])
def test_the_heads_at_full_size_have_the_rates_that_the_released_code_uses(name, branches):
    config = load_config(name).segmentation
    assert config.backbone == "resnet101"
    head = AtrousHead(5, config.rates)
    assert head(tf.zeros((1, 32, 32, 2048))).shape == (1, 32, 32, 5)
    # A 3×3 convolution with a bias is 3 · 3 · 2048 · 5 + 5.
    assert head.count_params() == branches * 92_165


@pytest.mark.parametrize("name", ["released-adaptseg", "released-advent"])
def test_released_settings_are_the_published_ones(name):
    config = load_config(name).segmentation
    assert (config.main_weight, config.aux_weight, config.batch_size) == (1.0, 0.1, 1)
    assert (config.aligner_main_weight, config.aligner_aux_weight, config.aligner_warmup_steps) == (0.001, 0.0002, 0)
    segmentor, discriminator = config.segmentor, config.discriminator
    assert (segmentor.kind, segmentor.learning_rate, segmentor.momentum) == ("sgd", 2.5e-4, 0.9)
    assert (segmentor.weight_decay, config.head_rate_factor) == (5e-4, 10.0)
    assert (discriminator.kind, discriminator.learning_rate) == ("adam", 1e-4)
    assert (discriminator.beta_1, discriminator.beta_2) == (0.9, 0.99)
    for optimizer in (segmentor, discriminator):
        assert (optimizer.decay, optimizer.decay_power, optimizer.decay_steps) == ("poly", 0.9, 250_000)


def _probabilities(logits):
    logits = np.asarray(logits, np.float64)
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def _twins_outputs(method, x_s, x_t):
    """What S says before the update: of source slices with their batch's statistics, of the target with those then kept."""
    random.seed(0)
    twin = _make(method)[0].segmentor
    return twin(x_s, training=True), twin(x_t, training=False)


# In the peers' own words: probabilities; −p log₂(p + 10⁻³⁰) / log₂ C.
_SHOWN = {"adaptseg": lambda p: p, "advent": lambda p: -p * np.log2(p + 1e-30) / np.log2(5)}


@pytest.mark.slow
@pytest.mark.parametrize("method", ADVERSARIAL)
def test_source_maps_are_genuine_to_the_discriminators_and_target_maps_imitations(method, monkeypatch):
    inner, labelled, x_t = _make(method)
    shown = []
    for adversary in inner.adversaries:
        monkeypatch.setattr(adversary, "learn", lambda *maps, learn=adversary.learn: shown.append(maps) or learn(*maps))
    inner.update("aligned", tf.constant(0, tf.int64), labelled, x_t)
    source, target = _twins_outputs(method, labelled[0], x_t)
    for (genuine, imitated), of_source, of_target in zip(shown, source[:2], target[:2], strict=True):
        np.testing.assert_allclose(genuine, _SHOWN[method](_probabilities(of_source)), atol=1e-5)
        np.testing.assert_allclose(imitated, _SHOWN[method](_probabilities(of_target)), atol=1e-5)


def _changed(network, before):
    return any(np.any(a != b.numpy()) for a, b in zip(before, network.trainable_variables, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "weighted"), [("adaptseg", "main"), ("advent", "aux"), ("minent", "main"), ("minent", "aux")]
)
def test_what_the_target_is_worth_reaches_the_backbone_and_its_own_head_alone(method, weighted):
    weights = {f"aligner_{head}_weight": float(head == weighted) for head in ("main", "aux")}
    inner, labelled, x_t = _make(method, main_weight=0.0, aux_weight=0.0, **weights)
    parts = {"backbone": inner.segmentor.resnet, "main": inner.segmentor.main_head, "aux": inner.segmentor.aux_head}
    before = {name: [v.numpy() for v in part.trainable_variables] for name, part in parts.items()}
    inner.update("aligned", tf.constant(0, tf.int64), labelled, x_t)
    assert {name for name, part in parts.items() if _changed(part, before[name])} == {"backbone", weighted}


@pytest.mark.slow
@pytest.mark.parametrize("method", ADVERSARIAL)
def test_each_discriminator_learns_for_itself(method):
    inner, *_ = _make(method)
    maps = tf.constant(np.random.default_rng(1).uniform(0, 1, (4, 32, 32, 5)).astype(np.float32))
    before = {role: [v.numpy() for v in network.trainable_variables] for role, network in inner.networks.items()}
    inner.adversaries[0].learn(maps, maps[::-1] ** 2)
    assert {role for role, network in inner.networks.items() if _changed(network, before[role])} == {JUDGE_MAIN}


@pytest.mark.slow
def test_minent_has_no_discriminator_and_charges_the_entropy_of_both_heads():
    inner, labelled, x_t = _make("minent", aligner_main_weight=0.3, aligner_aux_weight=0.2)
    assert set(inner.networks) == {SEGMENTOR}
    metrics = inner.update("aligned", tf.constant(0, tf.int64), labelled, x_t)
    output = _twins_outputs("minent", labelled[0], x_t)[1]
    # −(1 / N·H·W·log₂ C) Σ p log₂ p.
    main, aux = (
        np.mean(np.sum(-p * np.log2(p) / np.log2(5), axis=-1)) for p in map(_probabilities, (output.main, output.aux))
    )
    assert float(metrics["entropy_target"]) == pytest.approx(main, rel=1e-4)
    assert float(metrics["alignment"]) == pytest.approx(0.3 * main + 0.2 * aux, rel=1e-4)
    expected = float(metrics["cross_entropy"]) + float(metrics["alignment"])
    assert float(metrics["segmentor"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_minent_lowers_the_entropy_of_the_target_after_its_warm_up():
    optimizer = dataclasses.replace(SEGMENTATION.segmentor, learning_rate=1e-3)
    inner, labelled, x_t = _make("minent", aligner_main_weight=1.0, aligner_warmup_steps=2, segmentor=optimizer)
    assert (inner.phase(1), inner.phase(2)) == (("supervised", 2), ("aligned", None))
    assert float(inner.update("supervised", tf.constant(0, tf.int64), labelled, x_t)["alignment"]) == 0
    update = tf.function(inner.update, autograph=False)
    first, *_, last = (
        float(update("aligned", tf.constant(i, tf.int64), labelled, x_t)["entropy_target"]) for i in range(20)
    )
    assert last < 0.9 * first
