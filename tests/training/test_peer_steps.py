"""The inner steps of SynSeg-Net, CyCADA and PnP-AdaNet: which loss reaches which network, and what adversaries are shown."""

import random

import numpy as np
import pytest
import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import OptimizerConfig
from attent_tf.training.steps.gate import Gate
from attent_tf.training.steps.plug_and_play import critic_maps
from tests.support.inner_steps import make_inner, small_config

pytestmark = pytest.mark.slow

_SIZE = 32
_PLAIN = OptimizerConfig(kind="sgd", learning_rate=1e-2)


def _images(count=4, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, (count, _SIZE, _SIZE, 1)).astype(np.float32))


def _discs(count=4):
    """Images with a bright disc of another size each, whose left half is liver, whose right half is spleen."""
    r, c = np.mgrid[:_SIZE, :_SIZE] - (_SIZE - 1) / 2
    discs = np.stack([(r**2 + c**2 < (5 + i) ** 2) for i in range(count)])
    return tf.constant(discs[..., None] * 1.5 - 0.8, tf.float32), tf.constant(discs * np.where(c < 0, 1, 4), tf.uint8)


def _step(number=0):
    return tf.constant(number, tf.int64)


def _make(method, stage, **sections):
    random.seed(0)
    return make_inner(method, stage, small_config(**sections))


def _values(*variables):
    return [variable.numpy().copy() for variable in variables]


def _equal(before, after):
    return [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


def _joint(weight=1.0, **sections):
    translation = {"generator": _PLAIN, **sections.pop("translation", {})}
    return _make("synseg", "joint", synseg={"segmentation_weight": weight}, translation=translation, **sections)


def _after_joint_update(weight):
    step = _joint(weight)
    step.update("free", _step(), _discs(), _images())
    return step


def test_segmentation_reaches_s_and_the_translator_to_the_target_and_no_other():
    with_s, without = _after_joint_update(1.0), _after_joint_update(0.0)
    same = {
        role: all(_equal(_values(*network.trainable_variables), _values(*without.networks[role].trainable_variables)))
        for role, network in with_s.networks.items()
    }
    assert same == {
        "to_source": True,
        "to_target": False,
        "segmentor": False,
        "judge_source": True,
        "judge_target": True,
    }


def test_one_optimiser_holds_both_generators_and_s():
    step = _joint()
    held = [id(v) for network in (step.to_source, step.to_target, step.segmentor) for v in network.trainable_variables]
    assert [id(v) for v in step.weight_updates["generator"].variables_updated] == held
    assert len(step.weight_updates) == 3


def test_s_is_shown_source_slices_in_target_style_and_pays_most_for_kidneys():
    step = _joint()
    x, _ = _discs()
    labels = tf.constant(np.random.default_rng(1).integers(0, 5, (4, _SIZE, _SIZE)), tf.uint8)
    output = step.segmentor(step.to_target(x), training=True)
    weights = tf.constant([1.0, 1.0, 10.0, 10.0, 1.0])
    main, aux = (
        tf.reduce_mean(losses.weighted_cross_entropy_loss(logits, labels, weights))
        for logits in (output.main, output.aux)
    )
    metrics = step.update("free", _step(), (x, labels), _images())
    assert float(metrics["segmentor"]) == pytest.approx(float(main + 0.1 * aux), rel=1e-4)


def test_synseg_lowers_its_losses():
    optimizer = OptimizerConfig(learning_rate=3e-3, beta_1=0.5)
    step = _joint(translation={"generator": optimizer}, segmentation={"dice_weight": 1.0})
    first, *_, last = (step.update("free", _step(i), _discs(), -_discs()[0]) for i in range(12))
    assert float(last["segmentor"]) < 0.8 * float(first["segmentor"])
    assert float(last["cycle"]) < 0.9 * float(first["cycle"])
    assert set(last) == set(step.metric_names)


def _after_semantic_update(**cycada):
    step = _make("cycada_semantic", "translation", translation={"generator": _PLAIN}, cycada=cycada)
    metrics = step.update("free", _step(), _discs(), _images())
    assert set(metrics) == set(step.metric_names)
    return {role: _values(*network.trainable_variables) for role, network in step.networks.items()}


def test_the_semantic_loss_reaches_both_generators_once_the_classifier_has_learned():
    without = _after_semantic_update(semantic_weight=0.0)
    shut = _after_semantic_update(semantic_weight=1.0, semantic_gate=0.0)
    through = _after_semantic_update(semantic_weight=1.0, semantic_gate=1e9)
    for role, weights in without.items():
        assert all(_equal(weights, shut[role])), role
    changed = [role for role in without if not all(_equal(without[role], through[role]))]
    assert changed == ["to_source", "to_target"]


def test_the_classifier_learns_on_the_source():
    step = _make("cycada_semantic", "translation")
    before = _values(*step.classifier.trainable_variables)
    first = float(step.update("free", _step(), _discs(), _images())["classifier"])
    assert not all(_equal(before, _values(*step.classifier.trainable_variables)))
    # The generators and their judges, which the classifier learns nothing from, take most of an update's time.
    for _ in range(9):
        gradients, learned = step._classifier_gradients(*_discs())
        step.classifier_update.apply(gradients)
    assert float(learned["classifier"]) < 0.7 * first


def _scoring(**cycada):
    return _make("cycada", "adaptation", cycada=cycada)


@pytest.fixture(scope="module")
def scoring():
    """A step that no test updates."""
    return _scoring()


def test_without_a_good_discriminator_of_scores_s_stays_what_it_is():
    step = _scoring(gate_accuracy=0.99, discriminator=_PLAIN)
    before, judge = _values(*step.segmentor.variables), _values(*step.adversary.discriminator.variables)
    metrics = step.update("joint", _step(), _discs(), _images())
    assert float(metrics["updated"]) == 0
    assert all(_equal(before, _values(*step.segmentor.variables)))
    assert not any(_equal(judge, _values(*step.adversary.discriminator.variables)))
    assert set(metrics) == set(step.metric_names)


def test_with_one_s_learns_and_the_discriminator_gets_nothing_from_it():
    unweighted, weighted = (_scoring(gate_accuracy=0.0, segmentor=_PLAIN, aligner_weight=w) for w in (0.0, 5.0))
    for step in (unweighted, weighted):
        assert float(step.update("joint", _step(), _discs(), _images())["updated"]) == 1
    assert not all(_equal(_values(*unweighted.segmentor.variables), _values(*weighted.segmentor.variables)))
    assert all(_equal(*(_values(*step.adversary.discriminator.variables) for step in (unweighted, weighted))))


def test_the_discriminator_is_shown_logits_and_s_pays_for_swapped_labels(scoring):
    step = scoring
    assert step.adversary.discriminator.convs[0].kernel.shape == (1, 1, 5, 4)
    scores = step.segmentor(_images()).main
    # −log of the probability that it is source.
    expected = 0.1 * np.mean(np.log1p(np.exp(-step.adversary.discriminator(scores).numpy())))
    np.testing.assert_allclose(np.mean(step.adversary.charge(scores)), expected, rtol=1e-4)


def test_a_checkpoint_holds_the_gate(scoring):
    assert scoring.state()["gate"] == scoring.gate.stored()


def test_a_gate_goes_by_the_mean_of_its_latest_values():
    gate = Gate(0.6, 2)
    states = [bool(gate.is_open())]
    for value in (0.7, 0.4, 0.9, 0.2):
        gate.record(tf.constant(value))
        states.append(bool(gate.is_open()))
    # No value; 0.7; (0.7 + 0.4) / 2; (0.4 + 0.9) / 2; (0.9 + 0.2) / 2.
    assert states == [False, True, False, True, False]


def _plugged(**changes):
    step = _make("pnp_adanet", "adaptation", pnp_adanet=changes)
    for a, b in zip(step.segmentor.variables, step.source_segmentor.variables, strict=True):
        a.assign(b)
    return step


@pytest.fixture(scope="module")
def plugged():
    """A step that no test updates."""
    return _plugged()


def _upper(step):
    return [variable for layer in step.segmentor.upper_layers for variable in layer.variables]


def _early(step):
    upper = {id(variable) for variable in _upper(step)}
    return [variable for variable in step.segmentor.variables if id(variable) not in upper]


def test_a_round_is_some_updates_of_the_critics_and_one_of_the_early_layers():
    step = _plugged(critic_steps=2, critic_steps_grow_every=1)
    fixed = [*_upper(step), *step.source_segmentor.variables]
    critics = [*step.features.discriminator.trainable_variables, *step.masks.discriminator.trainable_variables]
    before = _values(*fixed)
    turns = ""
    for i in range(7):
        early, judged = _values(*_early(step)), _values(*critics)
        metrics = step.update("rounds", _step(i), _images(), _images(seed=1))
        adapted = not all(_equal(early, _values(*_early(step))))
        criticised = not all(_equal(judged, _values(*critics)))
        assert adapted != criticised
        turns += "a" if adapted else "c"
    # The second round is longer by one.
    assert turns == "ccaccca"
    assert all(_equal(before, _values(*fixed)))
    assert set(metrics) == set(step.metric_names)


def test_only_early_layers_are_updated_up_to_stage_3(plugged):
    step = plugged
    updated = {id(variable) for variable in step.adapter_update.variables_updated}
    early = [variable for variable in _early(step) if variable.trainable]
    assert updated == {id(variable) for variable in early}
    names = {variable.path.split("/")[2] for variable in early}
    assert names == {"stem", "stem_norm", "stage_1_block_1", "stage_2_block_1", "stage_3_block_1"}


def test_in_the_warm_up_the_critic_of_masks_rests():
    step = _plugged(critic_warmup_steps=3)
    assert step.phase(2) == ("critic", 3)
    assert step.phase(3) == ("rounds", None)
    masks, early = _values(*step.masks.discriminator.variables), _values(*_early(step))
    features = _values(*step.features.discriminator.trainable_variables)
    for i in range(3):
        step.update("critic", _step(i), _images(), _images(seed=1))
    assert all(_equal(masks, _values(*step.masks.discriminator.variables)))
    assert all(_equal(early, _values(*_early(step))))
    assert not all(_equal(features, _values(*step.features.discriminator.trainable_variables)))


def test_kernels_of_the_critics_are_clipped_and_nothing_else_is():
    step = _plugged(clip=0.001)
    step.update("rounds", _step(), _images(), _images(seed=1))
    for adversary in (step.features, step.masks):
        kernels = [v for v in adversary.discriminator.trainable_variables if len(v.shape) > 1]
        scales = [v for v in adversary.discriminator.trainable_variables if v.path.endswith("gamma")]
        assert all(np.abs(kernel).max() <= 0.001 for kernel in kernels)
        assert all(np.abs(scale).min() > 0.9 for scale in scales)


def test_critics_learn_to_tell_the_domains_apart():
    step = _plugged(clip=1.0, critic=OptimizerConfig(kind="rmsprop", learning_rate=3e-3))
    update = tf.function(step.update, autograph=False)
    values = [float(update("critic", _step(i), _discs()[0], _images())["distance_features"]) for i in range(20)]
    assert np.mean(values[-5:]) > np.mean(values[:5]) + 0.2


def test_early_layers_learn_to_pass_for_the_source():
    step = _plugged(adapter=OptimizerConfig(kind="rmsprop", learning_rate=1e-3), critic_weight=1.0)
    values = [float(step._adapt(_images())["adapter"]) for _ in range(10)]
    assert values[-1] < values[0]


def test_the_critics_see_taps_logits_and_the_predicted_class(plugged):
    step = plugged
    output = step.segmentor.segment_with_taps(_images(1))
    # Stages 2, 3 and 4 at a quarter of the resolution, 16 pixels from each of 48, 64 and 64 channels.
    assert [tap.shape[1:] for tap in output.taps] == [(8, 8, 48), (8, 8, 64), (8, 8, 64)]
    features, masks = critic_maps(output)
    assert features.shape == (1, _SIZE, _SIZE, 3 + 4 + 4 + 5 + 1)
    np.testing.assert_array_equal(masks, output.main)
    np.testing.assert_array_equal(features[..., 11:16], output.main)
    np.testing.assert_array_equal(features[..., 16], np.argmax(output.main, axis=-1))
    # A pixel of the tap becomes a square of 4 × 4.
    np.testing.assert_array_equal(features[0, :4, :4, :3], tf.reshape(output.taps[0][0, 0, 0], (4, 4, 3)))
    plain = step.segmentor(_images(1))
    np.testing.assert_array_equal(plain.main, output.main)
    assert plain.taps == ()


def test_the_methods_own_segmentor_is_adapted_up_to_group_6():
    step = _make("pnp_adanet", "adaptation", segmentation={"backbone": "pnp_adanet"}, pnp_adanet={"critic_steps": 1})
    upper, early = (
        _upper(step),
        [step.segmentor.stem.conv.kernel, step.segmentor.groups[5][1].second.conv.kernel],
    )
    before = _values(*upper), _values(*early)
    for i in range(2):
        step.update("rounds", _step(i), _images(), _images(seed=1))
    weights = [variable.path for variable in upper if "seed_generator" not in variable.path]
    same = [
        path for path, equal in zip((v.path for v in upper), _equal(before[0], _values(*upper)), strict=True) if equal
    ]
    assert set(weights) <= set(same)
    assert not any(_equal(before[1], _values(*early)))


def test_a_checkpoint_holds_where_the_round_stands():
    step = _plugged()
    step.update("rounds", _step(), _images(), _images(seed=1))
    turns, rounds, *latest = step.state()["round"]
    assert (int(turns), int(rounds), len(latest)) == (1, 0, len(step.metric_names))


def test_balanced_classes_are_weighed_by_the_batch():
    step = _make("pnp_adanet", "segmentation", segmentation={"dice_weight": 1.0})
    x, labels = _discs()
    output = step.segmentor(x, training=True)
    weights = losses.balancing_weights(tf.reduce_sum(losses.class_counts(labels, 5), axis=0))
    expected = 0.0
    for weight, logits in ((1.0, output.main), (0.1, output.aux)):
        cross_entropy = losses.weighted_cross_entropy_loss(logits, labels, weights, least_probability=0.005)
        expected += weight * tf.reduce_mean(cross_entropy + losses.squared_dice_loss(logits, labels))
    metrics = step.update("supervised", _step(), (x, labels))
    assert float(metrics["segmentor"]) == pytest.approx(float(expected), rel=1e-4)


def test_the_source_has_an_optimiser_of_pnp_adanets_own():
    def change(rate):
        own = OptimizerConfig(kind="sgd", learning_rate=rate)
        step = _make("pnp_adanet", "segmentation", pnp_adanet={"segmentor": own})
        kernel = step.segmentor.main_head.trainable_variables[0]
        (before,) = _values(kernel)
        step.update("supervised", _step(), _discs())
        return kernel.numpy() - before

    slow, fast = change(1e-3), change(4e-3)
    assert np.abs(slow).max() > 1e-6
    np.testing.assert_allclose(fast, 4 * slow, rtol=1e-2, atol=1e-7)
