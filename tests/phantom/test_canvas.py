import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attent_tf.phantom.canvas import (
    Canvas,
    Warp,
    around_spheres,
    curve,
    ellipsoid,
    paint_tube,
    rotation,
    smooth_max,
    tube,
)

Z, Y, X = np.arange(-40, 41, 2.5), np.arange(40, -41, -2.0), np.arange(50, -51, -2.0)


@pytest.fixture
def canvas():
    """A canvas without displacement."""
    return Canvas.blank(Z, Y, X, Warp.draw(np.random.default_rng(0), amplitude_mm=0.0))


@pytest.fixture
def warped():
    return Canvas.blank(Z, Y, X, Warp.draw(np.random.default_rng(0), amplitude_mm=3.0))


def test_a_sphere_has_exact_distances(canvas):
    level = ellipsoid(canvas, (10.0, 0.0, 0.0), (20.0, 20.0, 20.0))
    expected = np.sqrt((canvas.x - 10) ** 2 + canvas.y**2 + canvas.z**2) - 20
    np.testing.assert_allclose(level, expected, atol=1e-3)


def test_an_ellipsoid_turned_by_90_degrees_swaps_its_radii(canvas):
    turned = ellipsoid(canvas, (0, 0, 0), (30, 10, 15), rotation("z", 90.0))
    np.testing.assert_allclose(turned, ellipsoid(canvas, (0, 0, 0), (10, 30, 15)), atol=1e-3)


def test_an_ellipsoid_has_the_volume_of_an_ellipsoid(canvas):
    voxel_ml = 2.5 * 2.0 * 2.0 / 1000
    volume_ml = np.count_nonzero(ellipsoid(canvas, (1, 2, 3), (30, 22, 18)) < 0) * voxel_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 3.0 * 2.2 * 1.8, rel=0.01)


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(-30, 30), st.floats(3, 15))
@settings(deadline=None, max_examples=25)
def test_the_part_around_a_sphere_holds_all_of_it(x, y, z, radius):
    canvas = Canvas.blank(Z, Y, X, Warp.draw(np.random.default_rng(1), amplitude_mm=3.0))
    inside = (canvas.x - x) ** 2 + (canvas.y - y) ** 2 + (canvas.z - z) ** 2 < radius**2
    part = canvas.around((x, y, z), radius)
    part.fill(np.ones(part.tissues.shape, bool), 1)
    assert np.all(canvas.tissues[inside] == 1)


def test_a_crop_shares_memory_and_keeps_coordinates(warped):
    part = warped.crop((-10, -20, 0), (10, 20, 30))
    assert np.shares_memory(part.tissues, warped.tissues)
    assert part.x_mm.min() >= -10 - warped.margin_mm
    assert part.x_mm.max() <= 10 + warped.margin_mm
    row, column = list(warped.y_mm).index(part.y_mm[0]), list(warped.x_mm).index(part.x_mm[0])
    assert part.x[0, 0, 0] == warped.x[list(warped.z_mm).index(part.z_mm[0]), row, column]


def test_a_crop_outside_the_canvas_is_empty(canvas):
    assert canvas.crop((400, 0, 0), (500, 10, 10)).is_empty


def test_a_tube_is_the_union_of_its_spheres(warped):
    spheres = np.array([[0.0, 0, 0, 8], [10, 5, -10, 6], [20, 0, -25, 4]])
    distances = [np.sqrt((warped.x - x) ** 2 + (warped.y - y) ** 2 + (warped.z - z) ** 2) - r for x, y, z, r in spheres]
    expected = np.min(distances, axis=0)
    level = tube(warped, spheres, reach_mm=5.0)
    near = expected < 5.0
    np.testing.assert_allclose(level[near], expected[near], atol=1e-3)
    assert np.all(level[~near] > 4.9)


def test_a_tube_can_be_painted_over_one_tissue_only(canvas):
    canvas.tissues[canvas.x > 0] = 5
    paint_tube(canvas, np.array([[0.0, 0, 0, 12]]), 9, only=5)
    assert np.all(canvas.x[canvas.tissues == 9] > 0)
    assert np.count_nonzero(canvas.tissues == 9) > 100


def test_a_curve_passes_its_ends_and_overlaps():
    spheres = curve([(0, 0, 0, 10), (30, 0, 0, 8), (30, 40, 0, 6)])
    np.testing.assert_allclose(spheres[[0, -1]], [(0, 0, 0, 10), (30, 40, 0, 6)])
    steps = np.linalg.norm(np.diff(spheres[:, :3], axis=0), axis=1)
    assert np.all(steps < spheres[1:, 3])


def test_smooth_max_is_max_far_from_the_edge_and_above_it_nearby():
    first, second = np.array([10.0, 0.0, -3.0]), np.array([0.0, 0.0, 12.0])
    # On the edge itself: width / 4 above the maximum.
    np.testing.assert_allclose(smooth_max(first, second, 4.0), [10.0, 1.0, 12.0])


def test_spheres_beyond_the_canvas_leave_an_empty_part(canvas):
    assert around_spheres(canvas, np.array([[0.0, 0, 300, 5]])).is_empty
