import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attent_tf.errors import InputError
from attent_tf.volumes import Intensity, fit_intensity


def test_the_ct_window_is_the_same_for_all_scans(tools):
    intensity = fit_intensity(tools.patient("SPL", domain="ct"))
    assert intensity == Intensity("ct_window", -160.0, 240.0)
    normal = intensity.normalise(np.array([-1000, -160, 40, 140, 240, 3000], np.int16))
    assert normal.dtype == np.float32
    np.testing.assert_allclose(normal, [-1, -1, 0, 0.5, 1, 1])


def test_mr_is_cut_at_percentiles_of_its_own(tools):
    canonical = tools.patient("SPL", domain="mri")
    intensity = fit_intensity(canonical)
    assert intensity == Intensity("mr_percentile", 2.0, 400.0)
    scaled = dataclasses.replace(canonical, voxels=canonical.voxels * 3 + 10)
    np.testing.assert_allclose(
        fit_intensity(scaled).normalise(scaled.voxels), intensity.normalise(canonical.voxels), atol=1e-5
    )


def test_a_few_very_bright_voxels_do_not_darken_an_mr(tools):
    canonical = tools.patient("SPL", domain="mri")
    voxels = canonical.voxels.copy()
    voxels[5, 28, 30:33] = 30000.0
    assert fit_intensity(dataclasses.replace(canonical, voxels=voxels)).high == 400.0


def test_an_mr_of_one_value_is_refused(tools):
    canonical = tools.patient("SPL", domain="mri")
    with pytest.raises(InputError, match=r"patient-SPL.*contrast"):
        fit_intensity(dataclasses.replace(canonical, voxels=np.full(canonical.shape, 7.0, np.float32)))


@given(low=st.floats(-2000, 2000), width=st.floats(1, 5000), part=st.floats(0, 1))
def test_what_lies_within_comes_back(low, width, part):
    intensity = Intensity("mr_percentile", low, low + width)
    raw = low + part * width
    assert -1 <= intensity.normalise(raw) <= 1
    assert float(intensity.restore(intensity.normalise(raw))) == pytest.approx(raw, abs=1e-5 * (abs(low) + width))


def test_normalising_leaves_the_raw_scan_as_it_is():
    raw = np.array([10.0, 20.0], np.float32)
    Intensity("mr_percentile", 0.0, 30.0).normalise(raw)
    np.testing.assert_array_equal(raw, [10.0, 20.0])
