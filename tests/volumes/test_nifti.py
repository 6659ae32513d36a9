"""What the library underneath lets through must stop here with one line that names the file."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from attent_tf.errors import ConfigError, InputError
from attent_tf.volumes import read_nifti, read_nifti_labels, write_labels, write_scan

SHAPE = (5, 4, 3)
AFFINE = np.array([[-1.5, 0, 0, 20.0], [0, 0, 2.5, -31.0], [0, -2.0, 0, 7.0], [0, 0, 0, 1.0]])

# Byte offsets and types of fields in a NIfTI-1 header.
DIM, DATATYPE, PIXDIM, QFORM_CODE, SFORM_CODE, SROW = (
    (40, "h"),
    (70, "h"),
    (76, "f"),
    (252, "h"),
    (254, "h"),
    (280, "f"),
)
QUATERN = (256, "f")


@pytest.fixture
def scan(tmp_path, tools):
    voxels = np.arange(60, dtype=np.int16).reshape(SHAPE) - 20
    return tools.save_nifti(tmp_path / "scan.nii", voxels, AFFINE)


def _patch(path, field, index, value):
    """Overwrites one field of the header, as a damaged or careless writer would leave it."""
    offset, kind = field
    content = bytearray(path.read_bytes())
    struct.pack_into("<" + kind, content, offset + index * struct.calcsize(kind), value)
    path.write_bytes(content)


def _refused(read, *arguments, **options):
    with pytest.raises(InputError) as caught:
        read(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(arguments[0]))
    return message


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int32, np.float32, np.float64])
def test_intensities_and_affine_are_read(tmp_path, tools, name, dtype):
    voxels = np.arange(60).reshape(SHAPE).astype(dtype)
    seen, affine = read_nifti(tools.save_nifti(tmp_path / name, voxels, AFFINE))
    assert seen.dtype == (dtype if dtype in (np.int16, np.uint8) else np.float32)
    np.testing.assert_array_equal(seen, voxels)
    np.testing.assert_array_equal(affine, AFFINE)


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("endianness", ["<", ">"])
def test_both_versions_and_byte_orders_are_read(tmp_path, kind, endianness):
    header = kind.header_class(endianness=endianness)
    header.set_data_dtype(np.int16)
    header.set_sform(AFFINE, code=1)
    voxels = np.arange(60, dtype=np.int16).reshape(SHAPE) - 300
    nibabel.save(kind(voxels, None, header), tmp_path / "scan.nii.gz")
    seen, affine = read_nifti(tmp_path / "scan.nii.gz")
    np.testing.assert_array_equal(seen, voxels)
    np.testing.assert_array_equal(affine, AFFINE)
    np.testing.assert_array_equal(read_nifti_labels(tmp_path / "scan.nii.gz")[0], voxels)


def test_voxels_must_begin_in_the_file(scan):
    _patch(scan, (108, "f"), 0, 1e12)
    assert "vox_offset" in _refused(read_nifti, scan)


def test_slope_and_intercept_are_applied(scan):
    _patch(scan, (112, "f"), 0, 2.0)
    _patch(scan, (116, "f"), 0, -1000.0)
    np.testing.assert_array_equal(read_nifti(scan)[0].ravel()[:3], [-1040, -1038, -1036])


def test_axes_of_length_one_at_the_end_are_dropped(tmp_path, tools):
    path = tools.save_nifti(tmp_path / "scan.nii.gz", np.ones((*SHAPE, 1, 1), np.float32), AFFINE)
    assert read_nifti(path)[0].shape == SHAPE
    assert read_nifti_labels(path)[0].shape == SHAPE


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 3, 2)])
def test_other_ranks_are_refused(tmp_path, tools, shape):
    path = tools.save_nifti(tmp_path / "scan.nii", np.ones(shape, np.float32), AFFINE)
    assert str(shape) in _refused(read_nifti, path)


def test_a_huge_size_is_refused_before_reading(scan):
    for axis in (1, 2, 3):
        _patch(scan, DIM, axis, 30000)
    assert "30000 × 30000 × 30000" in _refused(read_nifti, scan)
    assert "30000 × 30000 × 30000" in _refused(read_nifti_labels, scan)


def test_the_limit_of_voxels_can_be_chosen(scan):
    read_nifti(scan, max_voxels=60)
    assert "at most 59 voxels" in _refused(read_nifti, scan, max_voxels=59)


@pytest.mark.parametrize("size", [0, -3])
def test_an_axis_without_voxels_is_refused(scan, size):
    _patch(scan, DIM, 2, size)
    assert f"(5, {size}, 3)" in _refused(read_nifti, scan)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_affine_that_is_not_finite_is_refused(scan, value):
    _patch(scan, SROW, 5, value)
    assert "affine" in _refused(read_nifti, scan)


def test_a_singular_affine_is_refused(scan):
    for column in range(3):
        _patch(scan, SROW, column, 0.0)
    assert "affine that can be inverted" in _refused(read_nifti, scan)


@pytest.mark.parametrize("value", [0.0, -2.0, np.nan])
def test_voxel_sizes_must_be_positive(scan, value):
    _patch(scan, PIXDIM, 2, value)
    assert "pixdim" in _refused(read_nifti, scan)


def test_an_unknown_orientation_is_refused_unless_it_is_trusted(scan):
    _patch(scan, SFORM_CODE, 0, 0)
    _patch(scan, QFORM_CODE, 0, 0)
    message = _refused(read_nifti, scan)
    assert "trust_affine" in message
    np.testing.assert_array_equal(read_nifti(scan, "trust_affine")[1], AFFINE)


def test_a_trusted_header_must_hold_something(scan):
    image = nibabel.Nifti1Image(np.ones(SHAPE, np.float32), None)
    nibabel.save(image, scan)
    assert "codes of 0" in _refused(read_nifti, scan)
    assert "affine to trust" in _refused(read_nifti, scan, "trust_affine")


def test_the_qform_counts_where_there_is_no_sform(tmp_path):
    image = nibabel.Nifti1Image(np.ones(SHAPE, np.float32), None)
    image.set_qform(AFFINE, code=1)
    image.header["sform_code"] = 0
    nibabel.save(image, tmp_path / "scan.nii")
    np.testing.assert_allclose(read_nifti(tmp_path / "scan.nii")[1], AFFINE, atol=1e-5)


def test_a_handedness_of_zero_counts_as_one(scan):
    image = nibabel.Nifti1Image(np.ones(SHAPE, np.float32), None)
    image.set_qform(np.diag([2.0, 2.0, 3.0, 1.0]), code=1)
    nibabel.save(image, scan)
    _patch(scan, PIXDIM, 0, 0.0)
    np.testing.assert_allclose(read_nifti(scan)[1], np.diag([2.0, 2.0, 3.0, 1.0]))


def test_an_impossible_qform_is_refused(scan):
    _patch(scan, SFORM_CODE, 0, 0)
    _patch(scan, QFORM_CODE, 0, 1)
    for index in range(3):
        _patch(scan, QUATERN, index, 0.9)
    _refused(read_nifti, scan)


def test_an_unknown_policy_is_refused(scan):
    with pytest.raises(ConfigError, match="orientation_policy"):
        read_nifti(scan, "guess")


@pytest.mark.parametrize("kept", [0, 20, 200, 0.5, 0.95])
def test_a_truncated_archive_is_refused(tmp_path, tools, kept):
    voxels = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
    path = tools.save_nifti(tmp_path / "scan.nii.gz", voxels, AFFINE)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    _refused(read_nifti, path)
    _refused(read_nifti_labels, path)


def test_a_truncated_plain_file_is_refused(scan):
    scan.write_bytes(scan.read_bytes()[:-7])
    assert "whole NIfTI file" in _refused(read_nifti, scan)


def test_a_flipped_bit_in_an_archive_is_refused(tmp_path, tools):
    voxels = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
    path = tools.save_nifti(tmp_path / "scan.nii.gz", voxels, AFFINE)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    _refused(read_nifti, path)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\0" * 1000, gzip.compress(b"x" * 1000, mtime=0)],
    ids=["empty", "short", "zeros", "archive"],
)
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_other_content_is_refused(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    _refused(read_nifti, tmp_path / name)


def test_other_names_are_refused(tmp_path):
    (tmp_path / "scan.mha").write_bytes(b"ObjectType = Image")
    assert "convert" in _refused(read_nifti, tmp_path / "scan.mha")
    assert "found none" in _refused(read_nifti, tmp_path / "absent.nii.gz")
    assert "found none" in _refused(read_nifti, tmp_path)


@pytest.mark.parametrize("code", [32, 128, 9999])
def test_voxels_that_are_no_single_numbers_are_refused(scan, code):
    _patch(scan, DATATYPE, 0, code)
    _refused(read_nifti, scan)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_intensities_must_be_finite(tmp_path, tools, value):
    voxels = np.zeros(SHAPE)
    voxels[1, 2, 0] = value
    message = _refused(read_nifti, tools.save_nifti(tmp_path / "scan.nii.gz", voxels, AFFINE))
    assert "found 1 voxel that is NaN or infinite" in message


def test_labels_of_whole_floats_are_accepted(tmp_path, tools):
    labels = np.array([0, 1, 2, 13] * 15, np.float64).reshape(SHAPE)
    seen, _ = read_nifti_labels(tools.save_nifti(tmp_path / "labels.nii", labels, AFFINE))
    assert seen.dtype.kind == "i"
    np.testing.assert_array_equal(seen, labels)


@pytest.mark.parametrize(("values", "shown"), [((0.4, 1.6), "0.4, 1.6"), ((np.nan,), "nan"), ((1e30,), "1e+30")])
def test_labels_that_are_no_whole_numbers_are_refused(tmp_path, tools, values, shown):
    labels = np.zeros(60, np.float32)
    labels[: len(values)] = values
    message = _refused(read_nifti_labels, tools.save_nifti(tmp_path / "labels.nii", labels.reshape(SHAPE), AFFINE))
    assert shown in message


@pytest.mark.parametrize("name", ["out.nii", "sub/out.nii.gz"])
def test_what_is_written_stands_where_it_stood(tmp_path, name):
    labels = np.arange(60, dtype=np.uint8).reshape(SHAPE) % 5
    write_labels(tmp_path / name, labels, AFFINE)
    image = nibabel.load(tmp_path / name)
    assert image.get_data_dtype() == np.uint8
    assert int(image.header["sform_code"]) > 0
    assert int(image.header["qform_code"]) > 0
    np.testing.assert_allclose(image.get_sform(), AFFINE)
    np.testing.assert_allclose(image.get_qform(), AFFINE, atol=1e-5)
    seen, affine = read_nifti_labels(tmp_path / name)
    np.testing.assert_array_equal(seen, labels)
    np.testing.assert_array_equal(affine, AFFINE)
    assert len(list((tmp_path / name).parent.iterdir())) == 1


def test_the_same_scan_makes_the_same_bytes(tmp_path):
    voxels = np.random.default_rng(0).normal(size=SHAPE)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_scan(tmp_path / name / "scan.nii.gz", voxels, AFFINE, np.float32)
    assert (tmp_path / "a" / "scan.nii.gz").read_bytes() == (tmp_path / "b" / "scan.nii.gz").read_bytes()


def test_whole_numbers_are_rounded_to_not_scaled(tmp_path):
    write_scan(tmp_path / "scan.nii", np.full(SHAPE, -999.6), AFFINE, np.int16)
    image = nibabel.load(tmp_path / "scan.nii")
    assert image.get_data_dtype() == np.int16
    assert (np.asarray(image.dataobj.get_unscaled()) == -1000).all()


@pytest.mark.parametrize("value", [300, -1, np.nan])
def test_values_that_do_not_fit_are_refused_and_leave_nothing(tmp_path, value):
    assert "uint8" in _refused(write_scan, tmp_path / "scan.nii", np.full(SHAPE, value), AFFINE, np.uint8)
    assert list(tmp_path.iterdir()) == []


def test_an_output_must_be_named_as_nifti(tmp_path):
    assert ".nii.gz" in _refused(write_labels, tmp_path / "labels.mha", np.zeros(SHAPE, np.uint8), AFFINE)
