import numpy as np

from attent_tf.metrics.postprocessing import POSTPROCESSINGS, largest_component
from attent_tf.organs import LIVER, SPLEEN


def test_of_each_organ_the_largest_part_stays():
    labels = np.zeros((3, 6, 8), np.uint8)
    labels[0, :2, :2] = LIVER  # 4 voxels
    labels[2, 3:, 5:] = LIVER  # 9 voxels
    labels[0, 4, 0] = labels[0, 4, 2] = SPLEEN  # two of one voxel each
    labels[1, 0, 6:] = SPLEEN  # 2 voxels
    kept = largest_component(labels)
    expected = np.zeros_like(labels)
    expected[2, 3:, 5:] = LIVER
    expected[1, 0, 6:] = SPLEEN
    np.testing.assert_array_equal(kept, expected)
    assert kept.dtype == labels.dtype
    assert labels[0, 0, 0] == LIVER


def test_parts_that_touch_at_an_edge_are_two_and_the_first_of_equals_stays():
    labels = np.zeros((1, 2, 2), np.uint8)
    labels[0, 0, 0] = labels[0, 1, 1] = LIVER
    assert largest_component(labels).tolist() == [[[LIVER, 0], [0, 0]]]


def test_an_organ_within_the_box_of_another_is_left_alone():
    labels = np.full((3, 5, 5), LIVER, np.uint8)
    labels[1, 2, 2] = SPLEEN
    np.testing.assert_array_equal(largest_component(labels), labels)


def test_nothing_is_done_by_default():
    labels = np.arange(5, dtype=np.uint8).reshape(1, 1, 5)
    assert POSTPROCESSINGS["none"].apply(labels) is labels
    assert largest_component(np.zeros((2, 3, 3), np.uint8)).sum() == 0
