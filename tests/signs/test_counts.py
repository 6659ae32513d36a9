"""Counts over label maps, by hand."""

import numpy as np
import pytest

from attent_tf.signs import (
    StructureCounts,
    count_overlap,
    count_structures,
    even_choice,
    main_part_shares,
    mean_dice,
    no_overlap,
    share_distance,
    sum_on_foreground,
)


def _maps(*slices):
    """[slice, 1, column] label maps from rows of class indices."""
    return np.array(slices, np.uint8)[:, np.newaxis]


def test_shares_are_of_all_pixels_and_add_up_over_cases():
    counts = count_structures(_maps([0, 0, 0, 0], [1, 1, 2, 0]), 5) + count_structures(_maps([1, 4, 0, 0]), 5)
    assert counts.shares == pytest.approx([3 / 12, 1 / 12, 0, 1 / 12])
    assert counts.share_empty == pytest.approx(1 / 3)
    nothing = StructureCounts.none(5) + StructureCounts.none(5)
    assert (nothing.shares == 0).all()
    assert nothing.share_empty == 0


def test_the_mean_dice_is_over_organs_that_either_map_shows():
    first, second = _maps([1, 1, 1, 2, 0, 0]), _maps([1, 1, 0, 0, 3, 0])
    # Liver 2 · 2 / 5; right kidney only here and left kidney only there: 0; the spleen is nowhere and does not count.
    assert mean_dice(count_overlap(first, second, 5)) == pytest.approx((0.8 + 0 + 0) / 3)
    assert mean_dice(count_overlap(first, first, 5)) == 1
    assert mean_dice(count_overlap(first, second, 5) + count_overlap(second, second, 5)) == pytest.approx(
        (8 / 9 + 0 + 2 / 3) / 3
    )


def test_no_organ_in_either_map_is_no_agreement():
    assert mean_dice(count_overlap(_maps([0, 0]), _maps([0, 0]), 5)) == 0
    assert mean_dice(no_overlap(5)) == 0


def test_pixels_outside_do_not_count():
    inside = np.array([[True, True, False]])
    assert mean_dice(count_overlap(_maps([1, 0, 1]), _maps([1, 0, 2]), 5, inside)) == 1


def test_the_largest_part_is_one_in_three_dimensions():
    labels = np.zeros((3, 4, 6), np.uint8)
    # Six voxels through two slices, and an island of two that touches them across a corner alone.
    labels[0, :3, 0] = labels[1, :3, 0] = 1
    labels[2, 3, 1:3] = 1
    labels[:, 0, 5] = 4
    assert main_part_shares(labels, 5) == pytest.approx([6 / 8, np.nan, np.nan, 1], nan_ok=True)


def test_entropy_counts_where_an_organ_is():
    values = np.array([[[0.5, 0.25, 0.75]]], np.float32)
    assert sum_on_foreground(values, _maps([0, 1, 4])).tolist() == [1.0, 2]
    assert sum_on_foreground(values, _maps([0, 0, 0])).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("count", "limit", "chosen"),
    [(3, 5, [0, 1, 2]), (8, 2, [2, 6]), (10, 3, [1, 5, 8]), (5, 1, [2]), (0, 4, [])],
)
def test_a_choice_is_even_and_keeps_off_the_ends(count, limit, chosen):
    assert even_choice(count, limit).tolist() == chosen


def test_counts_follow_the_number_of_classes():
    labels = _maps([15, 15, 0, 1])
    counts = count_structures(labels, 16)
    assert counts.shares.shape == (15,)
    assert (counts.shares[[0, 14]] == [0.25, 0.5]).all()
    assert count_overlap(labels, labels, 16).tolist() == [[1, 2], *[[0, 0]] * 13, [2, 4]]
    assert main_part_shares(labels, 16)[[0, 14]].tolist() == [1, 1]
    assert count_overlap(_maps([1, 2]), _maps([1, 0]), 3).tolist() == [[1, 2], [0, 1]]


def test_the_distance_of_shares_is_the_mean_of_their_logarithms():
    source = np.array([0.2, 0.1, 0.0, 0.05])
    # ln 2, 0 and, of a structure that is lost, ln 1000; the third is not in the source.
    distance = share_distance(np.array([0.1, 0.1, 0.3, 0.0]), source)
    assert distance == pytest.approx((np.log(2) + np.log(1000)) / 3)
    assert share_distance(source, source) == 0
    assert share_distance(2 * source, source) == pytest.approx(np.log(2))
    assert share_distance(source, np.zeros(4)) == 0
