import dataclasses

import numpy as np
import pytest

from attent_tf.volumes import body_mask


def _truth(canonical, body_radii_mm=(112.0, 74.0)):
    _, rows, columns = canonical.shape
    _, row_mm, column_mm = canonical.spacing_mm
    row, column = np.ogrid[:rows, :columns]
    back = (row - (rows - 1) / 2) * row_mm / body_radii_mm[1]
    side = (column - (columns - 1) / 2) * column_mm / body_radii_mm[0]
    return np.broadcast_to(back**2 + side**2 <= 1, canonical.shape)


@pytest.mark.parametrize("domain", ["ct", "mri"])
@pytest.mark.parametrize(
    ("pixel_mm", "least_dice"), [(0.9, 0.98), (1.6, 0.98), (3.5, 0.96)], ids=["fine", "usual", "coarse"]
)
def test_the_body_is_found_in_noise(tools, domain, pixel_mm, least_dice):
    size = int(280 / pixel_mm)
    canonical = tools.patient("SPL", (4, size * 2 // 3, size), (8.0, pixel_mm, pixel_mm), domain)
    noise = np.random.default_rng(0).normal(0, {"ct": 20.0, "mri": 12.0}[domain], canonical.shape)
    voxels = (canonical.voxels + noise).astype(np.float32)
    voxels = np.abs(voxels) if domain == "mri" else voxels
    mask = body_mask(dataclasses.replace(canonical, voxels=voxels))
    assert mask.dtype == bool
    assert mask.shape == canonical.shape
    assert tools.dice(mask, _truth(canonical)) > least_dice


def test_table_and_arm_are_not_the_body_but_gas_in_it_is(tools):
    canonical = tools.patient("SPL", shape_spl=(6, 100, 140), spacing_spl=(5.0, 2.0, 2.0))
    truth = _truth(canonical)
    voxels = canonical.voxels.copy()
    voxels[:, 40:48, 60:75] = -950.0  # bowel gas
    voxels[:, 93:95, :] = 100.0  # table
    voxels[:, 86:93, 70] = 100.0  # which touches the body
    voxels[:, 45:60, 2:10] = 50.0  # arm
    mask = body_mask(dataclasses.replace(canonical, voxels=voxels))
    assert mask[:, 40:48, 60:75].all()
    assert not mask[:, 92:].any()
    assert not mask[:, 45:60, 2:10].any()
    assert tools.dice(mask, truth) > 0.98


def test_bright_fluid_does_not_hide_the_tissue(tools):
    canonical = tools.patient("SPL", shape_spl=(4, 90, 130), spacing_spl=(8.0, 2.0, 2.0), domain="mri")
    voxels = canonical.voxels.copy()
    voxels[:, 30:40, 60:75] = 2500.0
    assert tools.dice(body_mask(dataclasses.replace(canonical, voxels=voxels)), _truth(canonical)) > 0.98


@pytest.mark.parametrize(("domain", "value"), [("ct", -1000.0), ("mri", 0.0)])
def test_air_alone_has_no_body(tools, domain, value):
    canonical = tools.patient("SPL", shape_spl=(3, 20, 20), domain=domain)
    blank = dataclasses.replace(canonical, voxels=np.full(canonical.shape, value, np.float32))
    assert not body_mask(blank).any()
