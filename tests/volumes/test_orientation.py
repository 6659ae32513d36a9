import dataclasses
import itertools

import numpy as np
import pytest

from attent_tf.volumes import to_canonical
from attent_tf.volumes.orientation import canonical_shape, canonical_view
from attent_tf.volumes.placement import Placement

ALL_CODES = [
    "".join(codes) for order in itertools.permutations(("RL", "AP", "SI")) for codes in itertools.product(*order)
]


@pytest.mark.parametrize("codes", ALL_CODES)
def test_every_voxel_keeps_its_place_in_the_patient(tools, codes):
    stored = tools.patient(codes, shape_spl=(4, 5, 6), spacing_spl=(7.0, 2.0, 3.0), shift_mm=(11.0, -23.0, 41.0))
    # Each voxel carries its own position, so that the affine can be checked voxel by voxel.
    index = np.stack(np.indices(stored.shape), axis=-1)
    world = index @ stored.affine[:3, :3].T + stored.affine[:3, 3]
    for axis in range(3):
        labels = (world[..., axis] > stored.affine[axis, 3]).astype(np.uint8)
        canonical = to_canonical(dataclasses.replace(stored, voxels=world[..., axis], labels=labels))
        assert canonical.axis_codes == "SPL"
        assert canonical.shape == (4, 5, 6) == canonical_shape(stored.shape, stored.affine)
        np.testing.assert_allclose(canonical.spacing_mm, (7.0, 2.0, 3.0))
        index = np.stack(np.indices(canonical.shape), axis=-1)
        expected = (index @ canonical.affine[:3, :3].T + canonical.affine[:3, 3])[..., axis]
        np.testing.assert_allclose(canonical.voxels, expected, atol=1e-9)
        np.testing.assert_array_equal(canonical.labels, (expected > stored.affine[axis, 3] + 1e-9))
        back = np.empty(stored.shape)
        canonical_view(back, stored.affine)[...] = canonical.voxels
        np.testing.assert_array_equal(back, world[..., axis])


@pytest.mark.parametrize("codes", ["SPL", "RAS", "LPI", "IRP"])
def test_a_canonical_volume_is_a_view(tools, codes):
    stored = tools.patient(codes, shape_spl=(3, 4, 5))
    canonical = to_canonical(stored)
    assert np.shares_memory(canonical.voxels, stored.voxels)
    assert np.shares_memory(canonical.labels, stored.labels)
    view = canonical_view(stored.voxels, stored.affine)
    view[1, 2, 3] = 12345.0
    assert np.count_nonzero(stored.voxels == 12345.0) == 1


def test_a_canonical_volume_has_no_placement_of_a_file(tools):
    stored = tools.patient("LPI", shape_spl=(3, 4, 5))
    placed = dataclasses.replace(stored, placement=Placement.of(stored.affine))
    assert to_canonical(placed).placement is None


def test_slices_look_as_radiologists_see_them(tools):
    canonical = to_canonical(tools.patient("RAS"))
    liver, kidney = (np.argwhere(canonical.labels == organ).mean(axis=0) for organ in (1, 2))
    _, rows, columns = canonical.shape
    assert liver[2] < columns / 2, "the liver belongs to the left of the picture"
    assert kidney[1] > rows / 2, "kidneys belong to the lower half of the picture"
    assert liver[0] > kidney[0], "slices count upwards"


def test_channels_travel_with_their_voxels(tools):
    stored = tools.patient("LIP", shape_spl=(3, 4, 5))
    canonical = to_canonical(stored)
    channels = np.stack([canonical.voxels, canonical.voxels + 1], axis=-1)
    back = np.empty((*stored.shape, 2))
    canonical_view(back, stored.affine)[...] = channels
    np.testing.assert_array_equal(back[..., 1], stored.voxels + 1)


def test_oblique_axes_count_as_the_nearest_direction(tools):
    stored = tools.patient("RAS")
    angle = np.deg2rad(20)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    canonical = to_canonical(dataclasses.replace(stored, affine=turn @ stored.affine))
    assert canonical.axis_codes == "SPL"
    np.testing.assert_array_equal(canonical.voxels, to_canonical(stored).voxels)


def test_a_volume_without_labels_has_none_afterwards(tools):
    assert to_canonical(dataclasses.replace(tools.patient("RAS"), labels=None)).labels is None
