"""SIFA, both versions: networks, losses, what the discriminators see, and whom each loss reaches."""

import functools
import itertools
import random

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.methods import (
    JUDGE_AUX,
    JUDGE_MAIN,
    JUDGE_SOURCE,
    JUDGE_TARGET,
    SEGMENTOR,
    SOURCE_DECODER,
    TO_TARGET,
    Path,
    get_method,
)
from attent_tf.models import SifaSegmentor
from attent_tf.runs.networks import make_part
from attent_tf.tasks import load_task
from tests.support.inner_steps import make_inner, random_batch, small_config

_STEPS = 200


@pytest.mark.parametrize("method", ["sifa_v1", "sifa_v2"])
def test_s_is_trained_on_both_domains_and_deployed_on_the_raw_target(method):
    (stage,) = get_method(method).stages
    assert [(slices.domain, slices.labels) for slices in stage.inputs] == [("source", True), ("target", False)]
    assert not any(view.through for slices in stage.shown for view in slices.views)
    assert get_method(method).deployment == (Path((SEGMENTOR,)),)


def _block(given, made):
    """Kernels of a residual block: two of 3×3."""
    return 9 * given * made + 9 * made * made


# Kernels, then factor and shift of each instance norm, then the last bias.
_G_A = (
    *(49 * 1 * 32, 9 * 32 * 64, 9 * 64 * 128, 9 * _block(128, 128), 9 * 128 * 64, 9 * 64 * 32, 49 * 32),
    2 * (32 + 64 + 128 + 9 * 2 * 128 + 64 + 32),
    1,
)
# Kernels, then four numbers for each channel of a batch norm.
_E_B = (
    *(49 * 1 * 16, _block(16, 16), _block(16, 32), _block(32, 64), _block(64, 64), _block(64, 128), _block(128, 128)),
    *(_block(128, 256), 3 * _block(256, 256), _block(256, 512), _block(512, 512), 2 * _block(512, 512)),
    2 * 9 * 512 * 512,
    4 * (16 + 2 * (16 + 32 + 2 * 64 + 2 * 128 + 4 * 256 + 2 * 512 + 2 * 512) + 2 * 512),
)
_DE_B = (
    *(9 * 512 * 128, 4 * _block(128, 128), 9 * 128 * 64, 9 * 64 * 64, 9 * 64 * 32, 49 * 32),
    2 * (128 + 4 * 2 * 128 + 64 + 64 + 32),
    1,
)
_HEAD = 512 * 5


def _judge(channels, judgements=1):
    widths = (channels, 64, 128, 256, 512, judgements)
    return sum(16 * a * b + b for a, b in itertools.pairwise(widths))


_V2 = {
    TO_TARGET: sum(_G_A),
    SEGMENTOR: sum(_E_B) + 2 * _HEAD,
    SOURCE_DECODER: sum(_DE_B),
    JUDGE_SOURCE: _judge(1, 2),
    JUDGE_TARGET: _judge(1),
    JUDGE_MAIN: _judge(5),
    JUDGE_AUX: _judge(5),
}
# The slice three times at both entries, and one head.
_V1 = {
    **{role: count for role, count in _V2.items() if role != JUDGE_AUX},
    TO_TARGET: _V2[TO_TARGET] + 2 * 49 * 32,
    SEGMENTOR: _V2[SEGMENTOR] + 2 * 49 * 16 - _HEAD,
}


@pytest.mark.slow
@pytest.mark.parametrize(("method", "expected"), [("sifa_v1", _V1), ("sifa_v2", _V2)])
def test_networks_at_full_size(method, expected):
    (stage,) = get_method(method).stages
    config = load_config(f"released-{method.replace('_', '-')}")
    networks = {part.role: make_part(part, config, load_task(), "mri2ct") for part in stage.parts}
    images = tf.zeros((1, 64, 64, 1))
    output = networks[SEGMENTOR](images)
    assert output.features.shape == (1, 8, 8, 512)
    assert output.main.shape == output.aux.shape == (1, 64, 64, 5)
    assert networks[TO_TARGET](images).shape == images.shape
    assert networks[SOURCE_DECODER](output.features, images).shape == images.shape
    assert networks[JUDGE_SOURCE](images).shape == (1, 6, 6, 2)
    assert networks[JUDGE_TARGET](images).shape == (1, 6, 6, 1)
    for role in {JUDGE_MAIN, JUDGE_AUX} & networks.keys():
        networks[role](output.main)
    # Of the state of random numbers, which dropout has, nothing counts.
    counts = {
        role: sum(int(np.prod(v.shape)) for v in network.variables if "seed" not in v.path)
        for role, network in networks.items()
    }
    assert counts == expected


@pytest.mark.slow
def test_without_a_lower_head_both_outputs_are_the_same():
    output = SifaSegmentor(5, filters=2, widest=4, lower_head=False)(tf.ones((1, 16, 16, 1)))
    np.testing.assert_array_equal(output.main, output.aux)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["sifa_v1", "sifa_v2"])
def test_no_two_kernels_begin_alike(method):
    inner = make_inner(method, "joint")
    for network in inner.networks.values():
        kernels = [v.numpy().ravel() for v in network.trainable_variables if len(v.shape) > 1]
        # Initializers with the same seed begin with the same numbers, whatever the shape.
        beginnings = {tuple(np.round(kernel[:8] / kernel.std(), 3)) for kernel in kernels}
        assert len(beginnings) == len(kernels), network.name


class _Trained:
    """A small step that is traced once, and begins anew for each question."""

    def __init__(self, method, **changes):
        random.seed(0)
        self.inner = make_inner(method, "joint", small_config(sifa=changes), steps=_STEPS)
        self._update = tf.function(functools.partial(self.inner.update, "joint"), autograph=False)
        labelled, target = random_batch(self.inner.context.stage)
        self.batch = (tuple(map(tf.constant, labelled)), tf.constant(target))
        self._variables = [variable for part in self.inner.state().values() for variable in part]
        self._first = [variable.numpy() for variable in self._variables]

    def begin(self):
        for variable, value in zip(self._variables, self._first, strict=True):
            variable.assign(value)

    def update(self, step=0, batch=None):
        metrics = self._update(tf.constant(step, tf.int64), *(batch or self.batch))
        return {name: float(metrics[name]) for name in self.inner.metric_names}

    def weights(self):
        return {role: [v.numpy() for v in network.trainable_variables] for role, network in self.inner.networks.items()}


# Weights that no two terms share.
_WEIGHTS = {
    "cycle_weight": 7.0,
    "decoder_weight": 0.3,
    "lower_weight": 0.6,
    "alignment_weight": 0.2,
    "lower_alignment_weight": 0.5,
    "auxiliary_weight": 0.4,
}


@pytest.fixture(scope="module")
def second():
    return _Trained("sifa_v2", **_WEIGHTS)


def _mean(logits, label):
    return float(np.mean((np.asarray(logits) - label) ** 2))


def _supervised(logits, labels, weights):
    """Cross-entropy weighed by rarity, and Dice of each example, in NumPy."""
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    truth = np.eye(5)[labels]
    cross_entropy = -(weights * truth * np.log(np.maximum(p, 0.005))).sum(-1).mean()
    dice = 2 * (p * truth).sum((1, 2)) / ((p**2).sum((1, 2)) + truth.sum((1, 2)) + 1e-7)
    return cross_entropy, 1 - dice.mean()


@pytest.mark.slow
def test_losses_and_what_the_discriminators_see_are_those_of_the_paper(second):
    second.begin()
    found = second.update()
    second.begin()
    g_a, s_b, de_b = (second.inner.networks[role] for role in (TO_TARGET, SEGMENTOR, SOURCE_DECODER))
    d_a, d_b, d_p, d_p_ll = (
        second.inner.networks[role] for role in (JUDGE_SOURCE, JUDGE_TARGET, JUDGE_MAIN, JUDGE_AUX)
    )
    (a, labels), b = second.batch
    of_b = s_b(b, training=True)
    fake_a, fake_b = de_b(of_b.features, b), g_a(a)
    of_fake_b = s_b(fake_b, training=True)
    cycle_a, cycle_b = de_b(of_fake_b.features, fake_b), g_a(fake_a)
    cycle = float(np.abs(cycle_a - a).mean() + np.abs(cycle_b - b).mean())
    as_source, as_cycled = _mean(d_a(fake_a)[..., 0], 1), _mean(d_a(fake_a)[..., 1], 1)
    weights = 1 - np.bincount(labels.numpy().ravel(), minlength=5) / labels.numpy().size
    main, lower = (_supervised(logits.numpy(), labels.numpy(), weights) for logits in (of_fake_b.main, of_fake_b.aux))
    alignment = 0.2 * _mean(d_p(of_b.main), 1) + 0.5 * _mean(d_p_ll(of_b.aux), 1) + 0.4 * as_cycled
    expected = {
        "cycle": cycle,
        "generator": 7 * cycle + as_source + _mean(d_b(fake_b), 1),
        "cross_entropy": main[0] + 0.6 * lower[0],
        "dice": main[1] + 0.6 * lower[1],
        "alignment": alignment,
        "segmentor": sum(main) + 0.6 * sum(lower) + 0.3 * (7 * cycle + as_source) + alignment,
        "discriminator_ct": _mean(d_b(b), 1) + _mean(d_b(fake_b), 0),
        "discriminator_mri": _mean(d_a(a)[..., 0], 1) + _mean(d_a(fake_a), 0) * 2 + _mean(d_a(cycle_a)[..., 1], 1),
        "discriminator_main": _mean(d_p(of_fake_b.main), 1) + _mean(d_p(of_b.main), 0),
        "discriminator_aux": _mean(d_p_ll(of_fake_b.aux), 1) + _mean(d_p_ll(of_b.aux), 0),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def _scaled(role, judgement=slice(None)):
    """Changes what a discriminator says."""

    def change(networks):
        kernel = networks[role].head.kernel
        factor = np.ones(kernel.shape)
        factor[..., judgement] = -2
        kernel.assign(kernel.numpy() * factor)

    return change


@pytest.mark.slow
@pytest.mark.parametrize(
    ("judge", "change", "reached"),
    [
        (None, None, {SEGMENTOR}),
        (JUDGE_TARGET, _scaled(JUDGE_TARGET), {TO_TARGET}),
        (JUDGE_SOURCE, _scaled(JUDGE_SOURCE, 0), {SOURCE_DECODER, SEGMENTOR}),
        (JUDGE_SOURCE, _scaled(JUDGE_SOURCE, 1), {SEGMENTOR}),
        (JUDGE_MAIN, _scaled(JUDGE_MAIN), {SEGMENTOR}),
        (JUDGE_AUX, _scaled(JUDGE_AUX), {SEGMENTOR}),
    ],
    ids=["labels", "d_B", "d_A source", "d_A cycled", "d_P", "d_P_ll"],
)
def test_each_loss_reaches_its_own_part_alone(second, judge, change, reached):
    """Other labels, or a discriminator that says something else, change the update of what pays for it."""
    second.begin()
    second.update()
    usual = second.weights()
    second.begin()
    if change:
        change(second.inner.networks)
        second.update()
    else:
        (images, labels), target = second.batch
        second.update(batch=((images, (labels + 1) % 5), target))
    changed = second.weights()
    found = {
        role
        for role, weights in usual.items()
        if role != judge and any(np.any(a != b) for a, b in zip(weights, changed[role], strict=True))
    }
    assert found == reached


@pytest.mark.slow
def test_batch_norms_keep_a_mixture_of_both_domains(second):
    second.begin()
    (a, _), b = second.batch
    stem = second.inner.segmentor.encoder.stem
    of_b, of_fake_b = (stem.conv(images).numpy().mean((0, 1, 2)) for images in (b, second.inner.networks[TO_TARGET](a)))
    second.update()
    np.testing.assert_allclose(stem.norm.moving_mean, 0.9 * 0.1 * of_b + 0.1 * of_fake_b, rtol=1e-3, atol=1e-7)


@pytest.mark.slow
def test_a_few_steps_lower_the_losses(second):
    second.begin()
    for update in second.inner.weight_updates.values():
        update.optimizer.learning_rate = 2e-3
    r, c = np.mgrid[:32, :32] - 15.5
    labels = np.stack([(r**2 + c**2 < (6 + i) ** 2) for i in range(4)]).astype(np.uint8)
    images = tf.constant(labels[..., np.newaxis] * 1.5 - 0.8, tf.float32)
    batch = ((images, tf.constant(labels)), -images)
    first, *_, last = (second.update(step, batch) for step in range(60))
    for name in ("segmentor", "cross_entropy", "cycle", "discriminator_ct", "discriminator_mri"):
        assert last[name] < 0.9 * first[name], name
    # Absent classes count as missed, so it cannot fall far.
    assert last["dice"] < first["dice"]


@pytest.mark.slow
@pytest.mark.eager
def test_the_first_version_aligns_late_and_has_no_lower_level():
    first = _Trained("sifa_v1", dropout=0.0, auxiliary_weight=0.0)
    assert JUDGE_AUX not in first.inner.networks
    assert first.inner.networks[TO_TARGET].encoders[0].kernel.shape == (7, 7, 3, 2)
    assert first.inner.segmentor.encoder.stem.conv.kernel.shape == (7, 7, 3, 2)

    def alignment(step):
        first.begin()
        return first.update(step)["alignment"]

    # A fifth of 200 steps is 40, 35 % are 70.
    assert alignment(40) == 0
    assert alignment(70) > 0
    assert alignment(55) == pytest.approx(0.5 * alignment(70), rel=1e-4)
    assert alignment(199) == pytest.approx(alignment(70), rel=1e-4)
