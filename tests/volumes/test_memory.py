"""A worker holds little more than the scan that it prepares."""

import tracemalloc

import numpy as np
import pytest

from attent_tf.tasks import parse_rule
from attent_tf.volumes import PrepareOptions, Volume, prepare
from tests.support.abdomen import CT

pytestmark = pytest.mark.slow

_SLICES, _EDGE, _PIXEL_MM = 48, 512, 0.75


@pytest.fixture(scope="module")
def scan(tools):
    """A body with a liver and a left kidney, as a NIfTI file holds it: int16, columns first in memory, RAS."""
    place = (np.arange(_EDGE) - (_EDGE - 1) / 2) * _PIXEL_MM
    right, front = place[:, None], place[None, :]
    rng = np.random.default_rng(0)
    voxels = np.empty((_EDGE, _EDGE, _SLICES), np.int16, order="F")
    labels = np.zeros(voxels.shape, np.uint8, order="F")
    body = (right / 150) ** 2 + (front / 105) ** 2 < 1
    for index in range(_SLICES):
        voxels[..., index] = np.where(body, 1040, 0) + rng.integers(-20, 20, body.shape) - 1000
        labels[..., index] = ((right - 60) / 60) ** 2 + ((front - 15) / 55) ** 2 < 1
        labels[((right + 55) / 25) ** 2 + ((front + 50) / 20) ** 2 < 1, index] = 3
    affine = tools.affine_of("RAS", voxels.shape, (_PIXEL_MM, _PIXEL_MM, 3.0))
    return Volume(voxels, affine, "large", CT, labels)


@pytest.mark.parametrize(
    ("rule", "slice_mm"),
    [
        ("window:-160:240", None),
        ("window:-160:240", 5.0),
        ("percentile:0.5:99:volume:body", None),
        ("zscore:3", None),
        ("zscore:3", 5.0),
    ],
)
def test_preparing_a_ct_takes_less_than_its_size_as_float32(scan, rule, slice_mm):
    options = PrepareOptions(intensity={"ct": parse_rule(rule)}, slice_mm=slice_mm)
    prepare(scan, options)  # What is imported on the way does not count.
    tracemalloc.start()
    try:
        prepare(scan, options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Voxels and labels are another 0.75 of it, which leaves room for reading them.
    assert peak < 0.8 * 4 * scan.voxels.size
