"""The slices that optimised models are tried on."""

import numpy as np
import pytest

from attent_tf.export.sample import make_sample
from attent_tf.volumes import PrepareOptions
from tests.support.abdomen import ABDOMEN
from tests.support.small_tasks import SMALL

OPTIONS = PrepareOptions(size=64, pixel_mm=6.4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "target", "kind"), [(ABDOMEN, "ct", "phantom"), (ABDOMEN, "mri", "phantom"), (SMALL, "t2", "synthetic")]
)
def test_slices_are_like_those_of_a_prepared_scan(task, target, kind):
    sample = make_sample(task, target, OPTIONS, 4)
    assert sample.kind == kind
    slices = sample.slices
    assert slices.shape == (4, 64, 64, 1)
    assert slices.dtype == np.float32
    assert -1 <= slices.min() < -0.9
    assert 0.5 < slices.max() <= 1
    # There is a body in each, and air around it.
    assert all(np.mean(slice_ > -0.8) > 0.05 for slice_ in slices)
    assert (slices[:, 0] < -0.9).all()
    np.testing.assert_array_equal(slices, make_sample(task, target, OPTIONS, 4).slices)


@pytest.mark.parametrize(("task", "target"), [(ABDOMEN, "ct"), (SMALL, "t1")])
def test_there_are_as_many_as_asked_for_whatever_the_preparation(task, target):
    options = PrepareOptions(size=32, pixel_mm=12.8, slice_mm=30.0, neighbours=1)
    assert make_sample(task, target, options, 5).slices.shape == (5, 32, 32, 3)
