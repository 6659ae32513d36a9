"""Files with the same voxels are turned onto each other, whatever their axes; others are refused and never resampled."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel import orientations

from attent_tf.errors import InputError
from attent_tf.volumes.stored_grid import StoredGrid, check_same_voxels, turned_onto

SHAPE = (5, 4, 3)
AFFINE = np.array([[2.0, 0, 0, -20], [0, 1.5, 0, -12], [0, 0, 4.0, -16], [0, 0, 0, 1]])
ALL_CODES = [
    "".join(codes) for axes in itertools.permutations(("RL", "AP", "SI")) for codes in itertools.product(*axes)
]
_TILT = np.array([[0.9, -0.3, 0.1], [0.28, 0.93, 0.2], [-0.15, -0.15, 0.97]])


def _oblique():
    affine = AFFINE.copy()
    affine[:3, :3] = np.linalg.qr(_TILT)[0] @ AFFINE[:3, :3]
    return affine


def _stored(array, affine, codes):
    """The array and grid of the same scan, stored in another axis order."""
    turn = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), orientations.axcodes2ornt(tuple(codes)))
    turned = orientations.apply_orientation(array, turn)
    return turned, StoredGrid(codes, turned.shape, affine @ orientations.inv_ornt_aff(turn, array.shape))


@given(st.sampled_from(ALL_CODES), st.sampled_from(ALL_CODES), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_axis_order_is_brought_over_exactly(one, other, is_oblique):
    affine = _oblique() if is_oblique else AFFINE
    marked = np.random.default_rng(0).integers(0, 5, SHAPE).astype(np.uint8)
    (moving, moving_grid), (fixed, fixed_grid) = (_stored(marked, affine, codes) for codes in (one, other))
    turned = turned_onto(moving, moving_grid, fixed_grid)
    np.testing.assert_array_equal(turned, fixed)
    assert np.shares_memory(turned, moving)
    check_same_voxels(moving_grid, fixed_grid)


def test_headers_that_differ_by_rounding_alone_are_one_grid():
    array = np.arange(60).reshape(SHAPE)
    moving = StoredGrid("moving", SHAPE, AFFINE + 1e-3)
    np.testing.assert_array_equal(turned_onto(array, moving, StoredGrid("fixed", SHAPE, AFFINE)), array)


def _moved(distance_mm):
    affine = AFFINE.copy()
    affine[1, 3] += distance_mm
    return affine


_MIRRORED = np.diag([-1.0, 1, 1, 1]) @ AFFINE
_CORNERS = (
    "the affine of fixed, found corners up to {} mm away; resample the labels to their image, or correct the header"
)


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SAR"])
@pytest.mark.parametrize(
    ("shape", "affine", "message"),
    [
        ((5, 3, 3), AFFINE, r"the shape \(5, 4, 3\) of fixed, found \(5, 3, 3\); resample the labels to their image"),
        (SHAPE, _moved(0.5), _CORNERS.format(0.5)),
        # The field of the scan runs from −20 to −12 mm, its mirror image from 12 to 20 mm.
        (SHAPE, _MIRRORED, _CORNERS.format(32)),
        (SHAPE, AFFINE * [2, 1, 1, 1], _CORNERS.format(8)),
        (SHAPE, _oblique(), _CORNERS.format("[0-9.]+")),
    ],
)
def test_another_grid_is_refused_in_whatever_order_it_is_stored(codes, shape, affine, message):
    array, moving = _stored(np.zeros(shape), affine, codes)
    fixed = StoredGrid("fixed", SHAPE, AFFINE)
    for refused in (lambda: turned_onto(array, moving, fixed), lambda: check_same_voxels(moving, fixed)):
        with pytest.raises(InputError, match=f"^{codes}: expected {message}"):
            refused()


def test_axes_that_cannot_be_paired_are_told_by_their_distance():
    # Turned by 45 degrees around one axis after the other: nothing says which axis is which.
    half = np.sqrt(0.5)
    turn = np.array([[half, -half, 0], [half, half, 0], [0, 0, 1]]) @ [[half, 0, half], [0, 1, 0], [-half, 0, half]]
    affine = np.eye(4)
    affine[:3, :3] = turn
    with pytest.raises(InputError, match="moving: expected the affine of fixed"):
        check_same_voxels(StoredGrid("moving", (4, 4, 4), affine), StoredGrid("fixed", (4, 4, 4), np.eye(4)))
