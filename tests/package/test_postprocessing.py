"""Clean-up of label maps: what stays of each organ, what is filled, and what is left alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from attent_tf.errors import ConfigError
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing, fill_holes, largest_components
from tests.support.abdomen import LIVER, NUM_CLASSES, SPLEEN

BOTH = Postprocessing(largest_component=True, fill_holes=True)


def test_of_each_organ_the_largest_part_stays():
    labels = np.zeros((3, 6, 8), np.uint8)
    labels[0, :2, :2] = LIVER  # 4 voxels
    labels[2, 3:, 5:] = LIVER  # 9 voxels
    labels[0, 4, 0] = labels[0, 4, 2] = SPLEEN  # two of one voxel each
    labels[1, 0, 6:] = SPLEEN  # 2 voxels
    kept = largest_components(labels)
    expected = np.zeros_like(labels)
    expected[2, 3:, 5:] = LIVER
    expected[1, 0, 6:] = SPLEEN
    np.testing.assert_array_equal(kept, expected)
    assert kept.dtype == labels.dtype
    assert labels[0, 0, 0] == LIVER


def test_parts_that_touch_at_an_edge_are_two_and_the_first_of_equals_stays():
    labels = np.zeros((1, 2, 2), np.uint8)
    labels[0, 0, 0] = labels[0, 1, 1] = LIVER
    assert largest_components(labels).tolist() == [[[LIVER, 0], [0, 0]]]


def test_an_organ_within_the_box_of_another_is_left_alone():
    labels = np.full((3, 5, 5), LIVER, np.uint8)
    labels[1, 2, 2] = SPLEEN
    for step in (largest_components, fill_holes, BOTH):
        np.testing.assert_array_equal(step(labels), labels)


def _block(edge=5):
    labels = np.zeros((7, 7, 7), np.uint8)
    labels[1 : 1 + edge, 1 : 1 + edge, 1 : 1 + edge] = LIVER
    return labels


def test_a_cavity_is_filled_and_a_tunnel_is_not():
    whole = _block()
    cavity, tunnel = whole.copy(), whole.copy()
    cavity[3, 3, 3] = 0
    # In every slice it is a ring; in three dimensions it is open above and below.
    tunnel[1:6, 3, 3] = 0
    np.testing.assert_array_equal(fill_holes(cavity), whole)
    np.testing.assert_array_equal(fill_holes(tunnel), tunnel)
    assert cavity[3, 3, 3] == 0


def test_a_cavity_that_the_border_of_the_array_cuts_is_open():
    labels = _block()[1:]
    labels[0, 3, 3] = 0
    np.testing.assert_array_equal(fill_holes(labels), labels)


def test_a_way_out_across_an_edge_alone_is_none():
    labels = _block(3)
    labels[2, 2, 2] = labels[1, 1, 2] = 0
    assert fill_holes(labels)[2, 2, 2] == LIVER
    assert fill_holes(labels)[1, 1, 2] == 0


def test_in_a_hole_only_background_is_filled():
    labels = _block()
    labels[2:5, 2:5, 2:5] = 0
    labels[3, 3, 3] = SPLEEN
    expected = _block()
    expected[3, 3, 3] = SPLEEN
    np.testing.assert_array_equal(fill_holes(labels), expected)


def test_an_island_in_a_hole_is_removed_before_the_hole_is_filled():
    labels = np.zeros((7, 7, 12), np.uint8)
    labels[..., :7] = _block()
    labels[3, 3, 3] = SPLEEN
    labels[2:5, 2:5, 8:11] = SPLEEN
    cleaned = BOTH(labels)
    assert cleaned[3, 3, 3] == LIVER
    assert (cleaned == SPLEEN).sum() == 27


@given(arrays(np.uint8, (4, 5, 6), elements=st.integers(0, NUM_CLASSES - 1)))
def test_once_is_enough_and_nothing_else_changes(labels):
    cleaned = BOTH(labels)
    np.testing.assert_array_equal(BOTH(cleaned), cleaned)
    kept = largest_components(labels)
    # Filling takes background alone.
    np.testing.assert_array_equal(cleaned[kept > 0], kept[kept > 0])
    for index in range(1, NUM_CLASSES):
        assert ndimage.label(cleaned == index)[1] == int((labels == index).any())
    np.testing.assert_array_equal(fill_holes(labels.T), fill_holes(labels).T)


def test_nothing_is_done_by_default():
    labels = np.arange(5, dtype=np.uint8).reshape(1, 1, 5)
    assert NO_POSTPROCESSING(labels) is labels
    assert not NO_POSTPROCESSING
    assert NO_POSTPROCESSING.text == ""
    assert BOTH(np.zeros((2, 3, 3), np.uint8)).sum() == 0


@pytest.mark.parametrize("one", [NO_POSTPROCESSING, Postprocessing(True), Postprocessing(fill_holes=True), BOTH])
def test_json_gives_it_back_and_a_user_decides(one):
    assert Postprocessing.from_json({**one.to_json(), "where": "by the client"}) == one
    assert (one.asked(None), one.asked(True), one.asked(False)) == (one, BOTH, NO_POSTPROCESSING)
    assert ("largest part" in one.text, "encloses" in one.text) == (one.largest_component, one.fill_holes)


def test_steps_are_true_or_false():
    with pytest.raises(ConfigError, match="fill_holes: expected true or false, found 'yes'"):
        Postprocessing.from_json({"fill_holes": "yes"})
