"""Two forms in one header: what is read, told, refused and written."""

import hypothesis
import hypothesis.strategies as st
import nibabel
import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import read_nifti, read_scan, write_fractions, write_labels, write_scan
from attent_tf.volumes.nifti_header import read_placement
from attent_tf.volumes.placement import Placement, corners_apart_mm, is_sheared, voxel_ml
from tests.support.abdomen import CT
from tests.support.nifti_fields import set_fields
from tests.support.placed_scans import SHAPE, STRAIGHT, TILTED, corners_mm, ct_voxels, forms, write_placed


def _rotation(axis, degrees):
    turn = np.eye(4)
    first, second = [index for index in range(3) if index != axis]
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[[first, second, first, second], [first, second, second, first]] = cos, cos, -sin, sin
    return turn


def test_the_volume_of_a_voxel_is_that_of_the_slanted_box():
    assert voxel_ml(STRAIGHT) == pytest.approx(0.180)
    assert voxel_ml(TILTED) == pytest.approx(0.144)
    assert voxel_ml(np.diag([-1, 1, 1, 1]) @ TILTED) == pytest.approx(0.144)


def test_sheared_is_what_no_turn_explains():
    turned = _rotation(0, 33) @ _rotation(2, 170) @ STRAIGHT
    assert is_sheared(TILTED)
    assert not is_sheared(turned)
    # As a header holds it.
    assert not is_sheared(turned.astype(np.float32).astype(float))
    # 0.05° over 250 mm are 0.2 mm.
    slight = STRAIGHT.copy()
    slight[:3, 2] = 5 * np.array([0, np.sin(np.radians(0.05)), np.cos(np.radians(0.05))])
    assert is_sheared(slight)


def test_corners_apart_is_the_farthest_one():
    stretched = STRAIGHT.copy()
    stretched[0, 0], stretched[1, 1] = 6.01, 6.02
    # 59 × 0.01 mm to the side and 49 × 0.02 mm to the front.
    assert corners_apart_mm(STRAIGHT, stretched, SHAPE) == pytest.approx(np.hypot(0.59, 0.98))


@pytest.mark.parametrize(("by_mm", "told"), [(0.9, False), (1.1, True)])
def test_more_than_a_millimetre_is_told_with_the_distance(tmp_path, by_mm, told):
    moved = STRAIGHT.copy()
    moved[2, 3] += by_mm
    path = write_placed(tmp_path / "scan.nii", ct_voxels(), moved, STRAIGHT)
    volume = read_scan(path, CT)
    np.testing.assert_allclose(volume.affine, moved, atol=1e-5)
    expected = (
        f"{path}: expected sform and qform that agree, found that they place its corners up to 1.1 mm apart; make them agree: "
        "the sform counts here, and other tools may take the qform"
    )
    assert volume.warnings == ((expected,) if told else ())


@pytest.mark.parametrize(
    "sform",
    [
        np.diag([-1.0, 1, 1, 1]) @ STRAIGHT,
        np.diag([-1.0, -1, 1, 1]) @ STRAIGHT,
        STRAIGHT[:, [1, 0, 2, 3]],
        _rotation(2, 60) @ STRAIGHT,
    ],
    ids=["mirrored", "half a turn", "axes swapped", "60 degrees"],
)
def test_other_directions_are_refused_unless_the_sform_is_chosen(tmp_path, sform):
    path = write_placed(tmp_path / "scan.nii", ct_voxels(), sform, STRAIGHT)
    with pytest.raises(InputError, match=r"scan\.nii: expected sform and qform that agree on the patient's directions"):
        read_scan(path, CT)
    volume = read_scan(path, CT, orientation_policy="trust_affine")
    np.testing.assert_allclose(volume.affine, sform, atol=1e-4)
    assert "mirror or turn it" in volume.warnings[0]


def test_a_slight_turn_of_a_scan_at_45_degrees_is_not_another_direction(tmp_path):
    path = write_placed(
        tmp_path / "scan.nii", ct_voxels(), _rotation(2, 44.5) @ STRAIGHT, _rotation(2, 45.5) @ STRAIGHT
    )
    assert len(read_scan(path, CT).warnings) == 1


@pytest.mark.parametrize(
    "fields",
    [{"quatern_b": 0.5, "qform_code": 0}, {"srow_x": -STRAIGHT[0], "sform_code": 0}],
    ids=["qform", "sform"],
)
def test_a_form_without_a_code_does_not_count(tmp_path, fields):
    path = set_fields(write_placed(tmp_path / "scan.nii", ct_voxels(), STRAIGHT, STRAIGHT), **fields)
    volume = read_scan(path, CT)
    np.testing.assert_allclose(volume.affine, STRAIGHT, atol=1e-4)
    assert volume.warnings == ()


def test_a_qform_that_cannot_be_read_does_not_count_beside_an_sform(tmp_path):
    path = write_placed(tmp_path / "scan.nii", ct_voxels(), STRAIGHT, STRAIGHT)
    broken = set_fields(path, quatern_b=0.7, quatern_c=0.7, quatern_d=0.7)
    volume = read_scan(broken, CT)
    assert "found a qform that cannot be read" in volume.warnings[0]
    write_labels(tmp_path / "labels.nii", np.zeros(SHAPE, np.uint8), volume.placement)
    assert forms(tmp_path / "labels.nii")[1] is None


def test_forms_are_compared_in_millimetres(tmp_path):
    path = write_placed(tmp_path / "scan.nii", ct_voxels(), STRAIGHT, STRAIGHT)
    # 0.002 m are 2 mm.
    in_metres = {"srow_x": STRAIGHT[0] / 1000, "srow_y": STRAIGHT[1] / 1000, "srow_z": STRAIGHT[2] / 1000}
    offsets = dict(zip(("qoffset_x", "qoffset_y", "qoffset_z"), STRAIGHT[:3, 3] / 1000, strict=True))
    offsets["qoffset_x"] += 0.002
    metres = set_fields(path, pixdim=[1, 0.006, 0.006, 0.005, 1, 1, 1, 1], xyzt_units=1, **in_metres, **offsets)
    placement, warnings = read_placement(metres)
    np.testing.assert_allclose(placement.sform, STRAIGHT, atol=1e-4)
    assert "up to 2 mm apart" in warnings[0]


def test_codes_are_kept_and_unknown_ones_become_known(tmp_path):
    path = write_placed(tmp_path / "scan.nii", ct_voxels(), STRAIGHT, STRAIGHT, (4, 3))
    for codes, kept in (((4, 3), (4, 3)), ((99, 3), (5, 3))):
        scan = set_fields(path, sform_code=codes[0], qform_code=codes[1])
        write_labels(tmp_path / "labels.nii", np.zeros(SHAPE, np.uint8), read_placement(scan)[0])
        header = nibabel.load(tmp_path / "labels.nii").header
        assert (header["sform_code"], header["qform_code"]) == kept


angles = st.floats(-180, 180)


@hypothesis.given(angles, angles, angles, st.booleans(), st.tuples(*[st.floats(0.5, 8)] * 3))
def test_an_affine_without_shear_is_the_same_in_both_forms(tmp_path_factory, x, y, z, mirrored, spacing):
    affine = (
        _rotation(0, x)
        @ _rotation(1, y)
        @ _rotation(2, z)
        @ np.diag([-spacing[0] if mirrored else spacing[0], *spacing[1:], 1])
    )
    affine[:3, 3] = -100, 50, 700
    path = tmp_path_factory.mktemp("forms") / "scan.nii"
    write_scan(path, np.zeros((40, 30, 20), np.int16), affine, np.int16)
    for form in forms(path):
        # A quaternion of float32 is good to some ten-thousandths of a turn.
        np.testing.assert_allclose(corners_mm(form, (40, 30, 20)), corners_mm(affine, (40, 30, 20)), atol=0.2)
    np.testing.assert_allclose(nibabel.load(path).header.get_zooms(), spacing, rtol=1e-6)


@pytest.mark.parametrize("write", [write_labels, write_fractions, lambda *all_: write_scan(*all_, np.float32)])
def test_a_sheared_affine_is_written_as_an_sform_alone(tmp_path, write):
    path = tmp_path / "out.nii.gz"
    write(path, np.ones(SHAPE, np.uint8), TILTED)
    sform, qform = forms(path)
    assert qform is None
    np.testing.assert_allclose(corners_mm(sform), corners_mm(TILTED), atol=1e-4)
    np.testing.assert_allclose(nibabel.load(path).header.get_zooms(), (6, 6, 5), rtol=1e-6)
    voxels, affine = read_nifti(path)
    np.testing.assert_allclose(affine, TILTED, atol=1e-5)
    assert voxels.max() > 0


def test_the_placement_of_one_affine_has_both_forms_unless_it_is_sheared():
    assert Placement.of(STRAIGHT).apart_mm(SHAPE) == 0
    assert Placement.of(STRAIGHT).qform is not None
    assert Placement.of(TILTED).qform is None
    np.testing.assert_array_equal(Placement.of(TILTED).affine, TILTED)
