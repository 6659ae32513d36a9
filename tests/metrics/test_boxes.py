"""The boxes themselves: a box that is too wide gives the right scores as well, only later."""

import numpy as np
import pytest

from attent_tf.metrics.boxes import box_of_masks, boxes_of_classes


def _ranges(box):
    return [(cut.start, cut.stop) for cut in box]


def _mask(shape, *voxels):
    mask = np.zeros(shape, bool)
    for voxel in voxels:
        mask[voxel] = True
    return mask


def test_a_box_is_one_voxel_wider_than_both_masks():
    first, second = _mask((9, 10, 11), (3, 4, 5)), _mask((9, 10, 11), (5, 4, 6))
    assert _ranges(box_of_masks(first, second)) == [(2, 7), (3, 6), (4, 8)]


def test_a_box_ends_with_the_array():
    first, second = _mask((4, 5), (0, 4)), _mask((4, 5), (3, 4))
    assert _ranges(box_of_masks(first, second)) == [(0, 4), (3, 5)]


def test_without_an_object_the_box_is_empty():
    nothing = np.zeros((4, 5), bool)
    assert _ranges(box_of_masks(nothing, nothing)) == [(0, 0), (0, 0)]
    assert [_ranges(box) for box in boxes_of_classes(nothing, nothing, 3)] == [[(0, 0), (0, 0)]] * 2


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32])
def test_every_class_has_the_box_of_its_masks(dtype):
    first, second = np.zeros((12, 13, 14), dtype), np.zeros((12, 13, 14), dtype)
    first[3, 4, 5], second[5, 4, 6] = 1, 1
    first[8, 9, 10] = 2  # in one map alone; class 3 is in neither
    boxes = boxes_of_classes(first, second, 4)
    assert [_ranges(box) for box in boxes[:2]] == [[(2, 7), (3, 6), (4, 8)], [(7, 10), (8, 11), (9, 12)]]
    assert _ranges(boxes[2]) == [(0, 0)] * 3
