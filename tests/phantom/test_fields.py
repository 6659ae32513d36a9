import numpy as np
import pytest

from attent_tf.phantom.fields import SmoothField


@pytest.fixture
def field():
    return SmoothField(np.random.default_rng(0), spacing_mm=30.0, amplitude=2.0)


def test_a_part_of_a_grid_shows_the_same_field(field):
    z, y, x = np.arange(-60, 60, 5.0), np.arange(80, -80, -4.0), np.arange(-90, 90, 3.0)
    whole = field(z, y, x)
    part = field(z[3:9], y[10:20], x[7:31])
    np.testing.assert_allclose(part, whole[3:9, 10:20, 7:31], atol=1e-5)


def test_the_order_of_an_axis_only_turns_the_result(field):
    axis = np.arange(-50, 51, 10.0)
    np.testing.assert_allclose(field(axis[::-1], axis, axis), field(axis, axis, axis)[::-1], atol=1e-5)


def test_amplitude_is_the_standard_deviation_at_lattice_points():
    rng = np.random.default_rng(1)
    axis = np.arange(-300, 301, 30.0)
    values = SmoothField(rng, spacing_mm=30.0, amplitude=2.0)(axis, axis, axis)
    # Normal numbers cut at two standard deviations keep 0.88 of it.
    assert 2.0 * 0.8 < values.std() < 2.0 * 1.05


def test_the_field_is_smooth_and_within_its_bound(field):
    axis = np.arange(-100, 100, 1.0)
    values = field(np.array([0.0]), axis, axis)
    assert np.abs(values).max() <= field.bound
    assert np.abs(np.diff(values, axis=2)).max() < 0.5


def test_an_empty_grid_gives_an_empty_field(field):
    assert field(np.zeros(0), np.zeros(4), np.zeros(3)).shape == (0, 4, 3)
