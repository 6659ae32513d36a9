"""The phantom that optimised models are tried on."""

import numpy as np
import pytest

from attent_tf.export.sample import sample_slices
from attent_tf.volumes import PrepareOptions
from tests.support.abdomen import ABDOMEN, CT


@pytest.mark.parametrize("domain", ["ct", "mri"])
def test_slices_are_those_of_a_prepared_scan(domain):
    slices = sample_slices(ABDOMEN.domain(domain), PrepareOptions(size=64, pixel_mm=6.4), 4)
    assert slices.shape == (4, 64, 64, 1)
    assert slices.dtype == np.float32
    assert -1 <= slices.min() < -0.9
    assert 0.5 < slices.max() <= 1
    # There is a body in each.
    assert all(np.mean(one > -0.8) > 0.05 for one in slices)
    np.testing.assert_array_equal(
        slices, sample_slices(ABDOMEN.domain(domain), PrepareOptions(size=64, pixel_mm=6.4), 4)
    )


def test_there_are_as_many_as_asked_for_whatever_the_preparation():
    options = PrepareOptions(size=32, pixel_mm=12.8, slice_mm=30.0, neighbours=1)
    assert sample_slices(CT, options, 5).shape == (5, 32, 32, 3)
