import numpy as np
import pytest

from attent_tf.phantom.scanner import ScanGrid, band_pass_noise, correlated_noise, slice_average, slice_centres


@pytest.fixture
def grid():
    return ScanGrid.centred((3, 5, 4), (6.0, 2.0, 1.5), (10.0, -20.0, 30.0), np.eye(4))


def test_the_grid_is_centred_and_runs_up_back_and_left(grid):
    np.testing.assert_allclose(grid.z_mm, [24, 30, 36])
    np.testing.assert_allclose(grid.y_mm, [-16, -18, -20, -22, -24])
    np.testing.assert_allclose(grid.x_mm, [12.25, 10.75, 9.25, 7.75])
    assert grid.pixel_mm == 1.5


def test_the_affine_gives_the_axes(grid):
    np.testing.assert_allclose(grid.affine @ (2, 3, 1, 1), [grid.x_mm[1], grid.y_mm[3], grid.z_mm[2], 1])


def test_half_steps_hold_centres_and_borders(grid):
    np.testing.assert_allclose(grid.half_steps_mm(), [21, 24, 27, 30, 33, 36, 39])
    np.testing.assert_allclose(slice_centres(grid.half_steps_mm()), grid.z_mm)


def test_a_slice_averages_its_centre_and_its_borders():
    values = np.array([0, 4, 8, 0, 0], np.float32).reshape(5, 1, 1)
    # 0/4 + 4/2 + 8/4 and 8/4 + 0/2 + 0/4.
    np.testing.assert_allclose(slice_average(values).ravel(), [4.0, 2.0])


def test_noise_has_the_wanted_deviation_and_is_smooth_in_slices_only():
    noise = correlated_noise(np.random.default_rng(0), (6, 80, 80), 1.0, 15.0)
    assert noise.std() == pytest.approx(15.0, rel=0.01)
    assert np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1] > 0.5
    assert abs(np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1]) < 0.1


def test_band_pass_noise_has_the_wanted_deviation_and_no_lowest_frequencies():
    noise = band_pass_noise(np.random.default_rng(0), (6, 80, 80), (0.65, 1.6), 12.0)
    assert noise.std() == pytest.approx(12.0, rel=0.01)
    power = np.mean(np.abs(np.fft.fft2(noise)) ** 2, axis=0)
    frequency = np.hypot(np.fft.fftfreq(80)[:, None], np.fft.fftfreq(80))
    lowest, middle, highest = (
        power[(frequency > low) & (frequency <= high)].mean() for low, high in ((0, 0.04), (0.15, 0.25), (0.45, 0.5))
    )
    assert lowest < 0.05 * middle
    assert highest < 0.5 * middle
    assert abs(np.corrcoef(noise[1:].ravel(), noise[:-1].ravel())[0, 1]) < 0.05
