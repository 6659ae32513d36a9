"""Grids whose axes are not perpendicular: distances through the affine, volumes of slanted voxels."""

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.metrics.protocols import find_protocol
from attent_tf.metrics.scores import score_case, score_slices
from attent_tf.metrics.surface_distances import surface_distances
from attent_tf.metrics.voxel_axes import checked_axes, checked_spacing, in_plane, voxel_mm3
from tests.support.abdomen import ORGANS
from tests.support.brute_force import random_masks, surface

# Steps along slices, rows and columns, each a column: slices lie 5 mm above one another, rows lead 4.8 mm back and 3.6 mm down.
TILTED = np.array([[0.0, 0, -6], [0, -4.8, 0], [5, -3.6, 0]])


def _block(start, shape=(12, 10, 9)):
    labels = np.zeros(shape, np.uint8)
    labels[tuple(slice(at, at + 3) for at in start)] = 1
    return labels


def test_the_volume_is_the_determinant():
    assert voxel_mm3((5, 6, 6)) == 180
    assert voxel_mm3(TILTED) == pytest.approx(144)
    (score,) = find_protocol("volume_3d").score(_block((1, 1, 1)), np.zeros((12, 10, 9), np.uint8), TILTED, ORGANS)
    # 27 voxels of 0.144 mL.
    assert score["liver"]["volume_difference_ml"] == pytest.approx(3.888)


def test_one_voxel_and_another_are_as_far_apart_as_the_affine_says():
    first, second = (np.zeros((12, 10, 9), bool) for _ in range(2))
    # Two slices up and three rows on: 14.4 mm back, and 10 - 10.8 mm up.
    first[2, 2, 2], second[4, 5, 2] = True, True
    (found,) = surface_distances(first, second, [TILTED])
    assert found.assd == pytest.approx(np.hypot(14.4, 0.8))
    # Of a grid with right angles it would be the hypotenuse of 10 and 18 mm.
    (straight,) = surface_distances(first, second, [(5, 6, 6)])
    assert straight.assd == pytest.approx(np.hypot(10, 18))


@pytest.mark.parametrize("seed", range(30))
def test_distances_are_those_of_all_pairs_in_space(seed):
    random = np.random.default_rng(seed)
    masks = random_masks(random)
    axes = random.normal(0, 3, (3, 3)) + 4 * np.eye(3)
    (found,) = surface_distances(*masks, [axes])
    points = [np.argwhere(surface(mask)) @ axes.T for mask in masks]
    if all(map(len, points)):
        apart = np.linalg.norm(points[0][:, None] - points[1][None], axis=-1)
        np.testing.assert_allclose(found.from_prediction, apart.min(axis=1), atol=1e-9)
        np.testing.assert_allclose(found.from_reference, apart.min(axis=0), atol=1e-9)


def test_perpendicular_axes_are_the_distances_to_the_last_bit():
    prediction, reference = _block((1, 1, 1)), _block((3, 2, 4))
    spacing = (5.3, 0.7, 0.9)
    assert (
        score_case(prediction, reference, np.diag(spacing), ORGANS)["liver"]["assd_mm"]
        == (score_case(prediction, reference, spacing, ORGANS)["liver"]["assd_mm"])
    )


def test_a_slice_is_measured_in_its_own_plane():
    prediction, reference = _block((1, 1, 1)), _block((1, 2, 1))
    np.testing.assert_array_equal(in_plane(TILTED), TILTED[:, 1:])
    straight, tilted = (
        score_slices(prediction, reference, (5, 6, 6), ORGANS)[1],
        score_slices(prediction, reference, TILTED, ORGANS)[1],
    )
    # Rows and columns of a tilted slice are perpendicular, 6 mm each.
    assert tilted["liver"]["assd_mm"] == pytest.approx(straight["liver"]["assd_mm"])


@pytest.mark.parametrize(
    "axes", [np.ones((3, 3)), TILTED[:, :2], np.full((3, 3), np.nan)], ids=["in a plane", "two", "NaN"]
)
def test_axes_that_span_no_space_are_refused(axes):
    with pytest.raises(InputError, match="spacing_mm: expected 3 columns"):
        checked_axes(axes, 3)


def test_axes_are_numbers_with_a_point_whatever_they_were():
    assert checked_axes(2 * np.eye(3, dtype=int), 3).dtype == np.float64
    assert checked_spacing((0.5, 1, 0.25), 3) == (0.5, 1.0, 0.25)


@pytest.mark.parametrize(
    "spacing", [(1.0, 2.0), (1.0, 2.0, 0.0), (1.0, -2.0, 1.0), (1.0, 2.0, np.inf), (np.nan, 2.0, 1.0)], ids=str
)
def test_distances_that_are_none_are_refused(spacing):
    with pytest.raises(InputError) as refused:
        checked_spacing(spacing, 3)
    assert str(refused.value) == f"spacing_mm: expected 3 positive numbers, one for each axis, found {spacing}"
