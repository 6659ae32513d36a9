import dataclasses

import numpy as np
import pytest

from attent_tf.errors import ConfigError
from attent_tf.volumes import fit_grid


def test_resize_brings_the_edges_of_slice_and_record_together(tools):
    canonical = tools.patient("SPL", shape_spl=(4, 48, 96))
    grid = fit_grid(canonical, "resize", size=32)
    for origin, scale, pixels in (
        (grid.row_origin, grid.row_scale, 48),
        (grid.column_origin, grid.column_scale, 96),
    ):
        assert origin + scale * -0.5 == pytest.approx(-0.5)
        assert origin + scale * 31.5 == pytest.approx(pixels - 0.5)


@pytest.mark.parametrize("domain", ["ct", "mri"])
def test_physical_pixels_have_their_size_and_are_centred_on_the_body(tools, domain):
    canonical = tools.patient("SPL", shape_spl=(6, 100, 120), spacing_spl=(8.0, 2.5, 2.2), domain=domain)
    # The body off the middle of the field, by whole pixels.
    canonical = dataclasses.replace(canonical, voxels=np.roll(canonical.voxels, (10, -4), axis=(1, 2)))
    grid = fit_grid(canonical, "physical", size=96, pixel_mm=2.9)
    assert grid.row_scale == pytest.approx(2.9 / 2.5)
    assert grid.column_scale == pytest.approx(2.9 / 2.2)
    assert grid.row_origin + grid.row_scale * 95 / 2 == pytest.approx(99 / 2 + 10, abs=1)
    assert grid.column_origin + grid.column_scale * 95 / 2 == pytest.approx(119 / 2 - 4, abs=1)


def test_pixels_of_the_same_size_fall_on_each_other(tools):
    canonical = tools.patient("SPL", shape_spl=(6, 61, 84), spacing_spl=(8.0, 3.0, 3.0))
    grid = fit_grid(canonical, "physical", size=80, pixel_mm=3.0)
    assert (grid.row_scale, grid.column_scale) == (1.0, 1.0)
    assert grid.row_origin.is_integer()
    assert grid.column_origin.is_integer()


def test_without_a_body_the_slice_is_centred(tools):
    canonical = dataclasses.replace(
        tools.patient("SPL", shape_spl=(2, 40, 40)), voxels=np.full((2, 40, 40), -1000.0, np.float32)
    )
    grid = fit_grid(canonical, "physical", size=40, pixel_mm=3.5)
    assert (grid.row_origin, grid.column_origin) == (0.0, 0.0)
    # 40 pixels, of which the middle 18 are the record.
    grid = fit_grid(canonical, "physical", size=18, pixel_mm=3.5)
    assert (grid.row_origin, grid.column_origin) == (11.0, 11.0)


def test_the_default_is_a_record_of_256_pixels_of_1_6_mm(tools):
    canonical = tools.patient("SPL", shape_spl=(2, 20, 20))
    assert fit_grid(canonical) == fit_grid(canonical, "physical", size=256, pixel_mm=1.6)


def test_a_body_that_is_given_is_the_one_that_counts(tools):
    canonical = tools.patient("SPL", shape_spl=(2, 40, 40), spacing_spl=(8.0, 2.0, 2.0))
    body = np.zeros((2, 40, 40), bool)
    body[:, 8:13, 30:35] = True
    grid = fit_grid(canonical, size=5, pixel_mm=2.0, body=body)
    assert (grid.row_origin, grid.column_origin) == (8.0, 30.0)


@pytest.mark.parametrize(
    ("slices", "spacing_mm", "slice_mm", "expected"),
    [
        # 4 slices of 5 mm are 20 mm, 5 slices of 4 mm; the first ones' middles are 2.5 and 2 mm from the end.
        (4, 5.0, 4.0, (5, -0.1, 0.8)),
        (6, 2.0, 4.0, (3, 0.5, 2.0)),
        # 15 mm need 4 slices of 4 mm, with half a millimetre beyond each end.
        (5, 3.0, 4.0, (4, 0.0, 4 / 3)),
        # Less than one slice is one slice, in the middle.
        (2, 8.0, 40.0, (1, 0.5, 5.0)),
        # The outermost of five slices would move by 0.008 and by 0.012 of a slice.
        (5, 5.0, 5.02, (5, 0.0, 1.0)),
        (5, 5.0, 5.03, (5, -0.012, 1.006)),
    ],
)
def test_slices_of_a_distance_share_the_middle_of_the_scan(tools, slices, spacing_mm, slice_mm, expected):
    canonical = tools.patient("SPL", (slices, 8, 8), (spacing_mm, 30.0, 40.0))
    grid = fit_grid(canonical, "resize", 8, slice_mm=slice_mm)
    assert (grid.slices, grid.slice_origin, grid.slice_scale) == pytest.approx(expected)


def test_an_unknown_geometry_is_named(tools):
    with pytest.raises(ConfigError, match=r"^geometry: expected one of physical, resize, found 'square'$"):
        fit_grid(tools.patient("SPL", shape_spl=(2, 20, 20)), "square")
