"""qforms whose quaternion is longer than 1 by a rounding are half turns; longer ones are damaged."""

import math

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attent_tf.errors import InputError
from attent_tf.volumes import read_nifti
from tests.support.nifti_fields import set_fields

KINDS = [nibabel.Nifti1Image, nibabel.Nifti2Image]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Writes a scan of 6 × 6 × 8 mm whose qform alone says how it lies."""
    folder = tmp_path_factory.mktemp("quaternions")

    def write(kind, quaternion, handedness=1):
        image = kind(np.zeros((4, 3, 2), np.int16), None)
        nibabel.save(image, folder / "scan.nii")
        names = dict(zip(("quatern_b", "quatern_c", "quatern_d"), quaternion, strict=True))
        offset = {"qoffset_x": 189, "qoffset_y": 153, "qoffset_z": -92}
        pixdim = [handedness, 6, 6, 8, 1, 1, 1, 1]
        return set_fields(folder / "scan.nii", qform_code=1, sform_code=0, pixdim=pixdim, **names, **offset)

    return write


# Rows of the affine, worked out by hand for a turn by 180 degrees around the axis (b, c, d).
_COS, _SIN = math.cos(math.radians(2.0)), math.sin(math.radians(2.0))
ROUNDED = {
    "half turn": ((0, 0, 1.0000006), [[-6, 0, 0], [0, -6, 0], [0, 0, 8]]),
    "exactly": ((0, 1, 0), [[-6, 0, 0], [0, 6, 0], [0, 0, -8]]),
    "tilted": (
        (float(np.float32(_SIN / 2 / math.cos(math.radians(1.0)))), 0, float(np.float32(math.cos(math.radians(1.0))))),
        [[-6 * _COS, 0, 8 * _SIN], [0, -6, 0], [6 * _SIN, 0, 8 * _COS]],
    ),
    "five decimals": ((0.70711, 0.70711, 0), [[0, 6, 0], [6, 0, 0], [0, 0, -8]]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ROUNDED)
def test_a_rounded_half_turn_is_read_as_a_half_turn(written, kind, name):
    quaternion, rows = ROUNDED[name]
    affine = read_nifti(written(kind, quaternion))[1]
    np.testing.assert_allclose(affine[:3, :3], rows, atol=3e-3 if kind is nibabel.Nifti1Image else 3e-5)
    np.testing.assert_array_equal(affine[:3, 3], [189, 153, -92])


@pytest.mark.parametrize("kind", KINDS)
@given(
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: np.linalg.norm(axis) > 0.1),
    st.floats(5e-7, 4.5e-6),
)
def test_any_half_turn_that_came_out_too_long_is_scaled_to_length_1(written, kind, axis, excess):
    unit = np.array(axis) / np.linalg.norm(axis)
    affine = read_nifti(written(kind, unit * (1 + excess)))[1]
    # Rodrigues for 180 degrees.
    expected = (2 * np.outer(unit, unit) - np.eye(3)) * (6, 6, 8)
    np.testing.assert_allclose(affine[:3, :3], expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(affine[:3, :3], axis=0), (6, 6, 8), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_handedness_counts_for_a_rounded_half_turn(written, kind):
    affine = read_nifti(written(kind, (0, 0, 1.0000006), handedness=-1))[1]
    np.testing.assert_allclose(affine[:3, :3], np.diag([-6, -6, -8]), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("quaternion", "found"),
    [((0.7, 0.7, 0.7), r"1\.4"), ((0, 0, 1.00001), "1.00002"), ((np.nan, 0, 1), "nan"), ((3e38, 3e38, 0), r"1.8e\+77")],
)
def test_what_rounding_does_not_explain_is_refused(written, kind, quaternion, found):
    path = written(kind, quaternion)
    with pytest.raises(
        InputError, match=rf"^{path}: expected quatern_b, .* at most 1, found {found}\d*; correct the qform"
    ):
        read_nifti(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_handedness_that_is_none_is_told_as_such(written, kind):
    path = written(kind, (0, 0, 1), handedness=3)
    with pytest.raises(
        InputError, match=rf"^{path}: expected a qform that can be read, found .*pixdim\[0\].*; correct the qform"
    ):
        read_nifti(path)
