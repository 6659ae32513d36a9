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


def test_an_unknown_geometry_is_named(tools):
    with pytest.raises(ConfigError, match="'square'"):
        fit_grid(tools.patient("SPL", shape_spl=(2, 20, 20)), "square")
