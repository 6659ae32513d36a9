"""Labels that a network gives: volumes of a few pixels, with numbers worked out by hand."""

import dataclasses

import numpy as np
import pytest

from attent_tf.configs import PseudoLabelConfig
from attent_tf.training.pseudo_labels import (
    Proposal,
    class_thresholds,
    encode,
    judge,
    make_pseudo_labels,
    mean_structure_shares,
    propose,
    structure_shares,
)

CONFIG = PseudoLabelConfig()


def _probabilities(labels, probability=0.96):
    """Probabilities [slice, row, column, class]: `probability` for the class in `labels`, the rest in equal parts."""
    labels = np.asarray(labels)
    values = np.full((*labels.shape, 5), (1 - probability) / 4, np.float32)
    np.put_along_axis(values, labels[..., np.newaxis], np.float32(probability), axis=-1)
    return values


def _proposal(labels, confidence, agreeing=True, agreement=1.0):
    labels = np.asarray(labels, np.uint8).reshape(1, 1, -1)
    confidence = np.broadcast_to(np.asarray(confidence, np.float32), labels.shape)
    return Proposal(labels, confidence, np.broadcast_to(agreeing, labels.shape), agreement)


def test_the_mean_of_the_paths_decides_and_they_agree_where_each_has_the_same_class():
    first, second = _probabilities([[[1, 1, 0, 4]]], 0.92), _probabilities([[[1, 0, 0, 4]]], 0.6)
    found = propose([first, second])
    np.testing.assert_array_equal(found.labels, [[[1, 1, 0, 4]]])
    # The second pixel: (0.92 + 0.1) / 2 for the liver, (0.02 + 0.6) / 2 for background.
    np.testing.assert_allclose(found.confidence, [[[0.76, 0.51, 0.76, 0.76]]], atol=1e-6)
    np.testing.assert_array_equal(found.agreeing, [[[True, False, True, True]]])
    # Dice of the liver 2 · 1 / (2 + 1), of the spleen 1.
    assert found.agreement == pytest.approx((2 / 3 + 1) / 2)


def test_an_altered_look_is_a_second_opinion_and_no_part_of_the_mean():
    shown = _probabilities([[[1, 2, 0]]], 0.8)
    alone, asked = propose([shown]), propose([shown], _probabilities([[[1, 0, 0]]]))
    np.testing.assert_array_equal(asked.labels, alone.labels)
    np.testing.assert_array_equal(asked.confidence, alone.confidence)
    assert (alone.agreement, alone.agreeing.all()) == (1.0, True)
    assert asked.agreement == 0.5
    np.testing.assert_array_equal(asked.agreeing, [[[True, False, True]]])


def test_islands_become_background_and_holes_the_organ_around_them():
    labels = np.zeros((4, 5, 7), np.int64)
    labels[:3, :3, :3] = 1
    labels[1, 1, 1] = 0
    labels[3, 4, 6] = 1
    found = propose([_probabilities(labels)])
    expected = np.zeros((4, 5, 7), np.uint8)
    expected[:3, :3, :3] = 1
    np.testing.assert_array_equal(found.labels, expected)
    # What cleaning has changed is as improbable as it was.
    np.testing.assert_allclose(found.confidence[[1, 3], [1, 4], [1, 6]], 0.01, atol=1e-6)


def test_a_sinus_that_is_a_hole_of_its_slice_alone_stays_open():
    labels = np.zeros((2, 3, 3), np.int64)
    labels[0] = 2
    labels[0, 1, 1] = 0
    np.testing.assert_array_equal(propose([_probabilities(labels)]).labels, labels)


def test_thresholds_are_quantiles_of_each_class_and_never_too_low():
    proposals = [_proposal([1, 1, 1, 2, 0], [0.6, 0.7, 0.8, 0.3, 0.95]), _proposal([1, 1, 2], [0.9, 1.0, 0.5])]
    background, liver, right_kidney, left_kidney, spleen = class_thresholds(proposals, 5, 0.3, 0.5, 0.9)
    # Of 0.6, 0.7, 0.8, 0.9 and 1.0 the place 0.3 · 4 = 1.2: 0.7 and a fifth of the way to 0.8.
    assert liver == pytest.approx(0.72)
    # The quantile 0.36 is below what any pixel needs; the left kidney and the spleen were not found.
    assert (background, right_kidney, left_kidney, spleen) == (0.9, 0.5, 0.5, 0.5)


def test_codes_hold_the_class_and_whether_it_counts_by_half_or_not_at_all():
    proposal = _proposal([0, 0, 1, 1, 4], [0.95, 0.8, 0.6, 0.6, 0.4], agreeing=[True, True, True, False, False])
    codes = encode(proposal, (0.9, 0.6 - 1e-6, 0.5, 0.5, 0.5))
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes.ravel(), [0, 0 + 10, 1, 1 + 5, 4 + 10])
    # Of three classes, codes of levels begin at 3 and 6.
    of_three = encode(_proposal([2, 2, 2], [0.9, 0.9, 0.2], agreeing=[True, False, True]), (0.9, 0.5, 0.5))
    np.testing.assert_array_equal(of_three.ravel(), [2, 2 + 3, 2 + 6])


def test_shares_are_of_labelled_voxels_and_source_volumes_count_alike():
    np.testing.assert_allclose(structure_shares(np.array([[[0, 1, 1, 2, 4]]]), 5), [0.5, 0.25, 0, 0.25])
    np.testing.assert_array_equal(structure_shares(np.zeros((1, 1, 3), np.uint8), 5), 0)
    small, large, empty = np.array([[[1, 2]]]), np.full((1, 10, 10), 1), np.zeros((1, 2, 2), int)
    np.testing.assert_allclose(mean_structure_shares([small, large, empty], 5), [0.75, 0.25, 0, 0])


SOURCE = np.array([0.7, 0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    ("counts", "agreement", "reason"),
    [
        ((70, 10, 10, 10), 0.7, ""),
        ((70, 10, 10, 10), 0.69, "unsteady labels"),
        ((63, 29, 4, 4), 1.0, ""),
        ((59, 33, 4, 4), 1.0, "structures out of proportion"),
        ((78, 3, 10, 9), 1.0, "structures out of proportion"),
        ((0, 0, 0, 0), 1.0, "structures out of proportion"),
    ],
)
def test_a_volume_is_left_out_for_its_shares_or_its_agreement(counts, agreement, reason):
    proposal = _proposal(np.repeat([1, 2, 3, 4], counts) if any(counts) else [0], 1.0, agreement=agreement)
    assert judge(proposal, SOURCE, CONFIG) == reason


def _volume(confidence, agreement=1.0):
    return _proposal(np.repeat([0, 1, 2, 3, 4], (10, 70, 10, 10, 10)), confidence, agreement=agreement)


def test_it_is_refused_where_less_than_a_quarter_of_the_volumes_remain():
    good, bad = _volume(0.95), _volume(0.95, agreement=0.5)
    enough = make_pseudo_labels([bad, bad, good, bad], SOURCE, CONFIG, first=True)
    assert enough.refusal is None
    assert enough.chosen == (False, False, True, False)
    fewer = make_pseudo_labels([good, bad, bad, bad, bad], SOURCE, CONFIG, first=True)
    assert fewer.refusal == "1 of 5 target volumes could be labelled reliably (4 with unsteady labels)"
    assert fewer.agreements == (1.0, 0.5, 0.5, 0.5, 0.5)
    assert fewer.shares == pytest.approx((0.7, 0.1, 0.1, 0.1))
    never = dataclasses.replace(CONFIG, least_volumes=0.0)
    assert make_pseudo_labels([bad], SOURCE, never, first=True).refusal


def test_first_and_later_labels_have_quantiles_of_their_own_and_the_trusted_alone_decide():
    confidence = np.concatenate([np.full(10, 0.95), np.linspace(0.6, 0.95, 70), np.full(30, 0.8)])
    volumes = [_volume(confidence), _volume(0.99, agreement=0.0)]
    first, later = (make_pseudo_labels(volumes, SOURCE, CONFIG, first) for first in (True, False))
    assert first.thresholds == pytest.approx((0.9, 0.6 + 0.3 * 0.35, 0.8, 0.8, 0.8))
    assert later.thresholds == pytest.approx((0.9, 0.6 + 0.2 * 0.35, 0.8, 0.8, 0.8))
    # Of 70 pixels those from place 0.3 · 69 = 20.7 on are 49, from 13.8 on 56.
    assert first.kept == pytest.approx((1, 49 / 70, 1, 1, 1))
    assert later.kept == pytest.approx((1, 56 / 70, 1, 1, 1))


def test_the_same_arrays_give_the_same_codes_and_stay_as_they_are():
    rng = np.random.default_rng(0)
    paths = [rng.dirichlet(np.ones(5), (3, 8, 8)).astype(np.float32) for _ in range(2)]
    before = [path.copy() for path in paths]
    codes = [make_pseudo_labels([propose(paths)], SOURCE, CONFIG, True).codes[0] for _ in range(2)]
    np.testing.assert_array_equal(*codes)
    np.testing.assert_array_equal(paths, before)
    assert codes[0].max() < 15
