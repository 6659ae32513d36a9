"""A scan that a user hands over: a NIfTI file or a folder of DICOM slices."""

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import read_scan
from tests.support.abdomen import CT, MRI

# Rows run to the feet of the table, columns to the patient's left: an axial slice in LPS.
AXIAL = (1, 0, 0, 0, 1, 0)
# A slice turned by 30° about the patient's long axis.
TURNED = (np.cos(np.pi / 6), np.sin(np.pi / 6), 0, -np.sin(np.pi / 6), np.cos(np.pi / 6), 0)
CORONAL = (1, 0, 0, 0, 0, -1)


def _series(tools, count=4, step_mm=(0.0, 0.0, 2.0), directions=AXIAL, **options):
    pixels = np.random.default_rng(0).integers(-50, 4000, (count, 3, 5))
    positions = [(10.0 + n * step_mm[0], -20.0 + n * step_mm[1], 30.0 + n * step_mm[2]) for n in range(count)]
    slices = [
        tools.dicom_slice(image, position, directions, **options)
        for image, position in zip(pixels, positions, strict=True)
    ]
    return pixels, slices


def test_voxels_lie_where_the_slices_say(tools, tmp_path):
    pixels, slices = _series(tools)
    tools.save_series(tmp_path / "series", slices)
    volume = read_scan(tmp_path / "series", MRI)
    assert volume.case == "series"
    assert volume.domain == MRI
    assert volume.labels is None
    assert volume.voxels.dtype == np.float32
    np.testing.assert_array_equal(volume.voxels, pixels.transpose(2, 1, 0))
    # Columns 1.5 mm to the left, rows 2 mm to the back, slices 2 mm upwards; SliceThickness says 3.2.
    expected = [[-1.5, 0, 0, -10], [0, -2, 0, 20], [0, 0, 2, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(volume.affine, expected)


@pytest.mark.parametrize(
    ("directions", "step_mm", "codes"),
    [(AXIAL, (0, 0, 4.0), "LPS"), (TURNED, (0, 0, 4.0), "LPS"), (CORONAL, (0, 3.0, 0), "LIP")],
)
def test_every_voxel_of_any_plane_is_at_its_place(tools, tmp_path, directions, step_mm, codes):
    _, slices = _series(tools, step_mm=step_mm, directions=directions)
    tools.save_series(tmp_path, slices)
    volume = read_scan(tmp_path, MRI, case="mine")
    assert volume.case == "mine"
    assert volume.axis_codes == codes
    column, row, slice_ = 4, 1, 3
    lps = np.array([10.0, -20.0, 30.0]) + slice_ * np.array(step_mm)
    lps = lps + column * 1.5 * np.array(directions[:3]) + row * 2.0 * np.array(directions[3:])
    np.testing.assert_allclose(volume.affine @ (column, row, slice_, 1), (*(lps * (-1, -1, 1)), 1), atol=1e-9)


def test_slices_are_ordered_by_position_not_by_name(tools, tmp_path):
    pixels, slices = _series(tools)
    tools.save_series(tmp_path, [slices[index] for index in (2, 0, 3, 1)])
    np.testing.assert_array_equal(read_scan(tmp_path, MRI).voxels, pixels.transpose(2, 1, 0))


def test_values_are_rescaled_where_the_file_says_so(tools, tmp_path):
    pixels, slices = _series(tools, modality="CT")
    for slice_ in slices:
        slice_.RescaleSlope, slice_.RescaleIntercept = 2, -1024
    tools.save_series(tmp_path, slices)
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, 2 * pixels.transpose(2, 1, 0) - 1024)


def test_other_files_beside_slices_are_left_alone(tools, tmp_path):
    _, slices = _series(tools)
    tools.save_series(tmp_path, slices)
    (tmp_path / "notes.txt").write_text("contrast given")
    (tmp_path / "._IMG-0004-00001.dcm").write_bytes(b"left by an archive")
    assert read_scan(tmp_path, MRI).shape == (5, 3, 4)


def test_slices_without_a_suffix_are_read(tools, tmp_path):
    _, slices = _series(tools)
    tools.save_series(tmp_path, slices, name="{}")
    assert read_scan(tmp_path, MRI).shape == (5, 3, 4)


def _mixed_orientation(tools, slices):
    slices[2].ImageOrientationPatient = list(TURNED)


def _double_position(tools, slices):
    slices[2].ImagePositionPatient = slices[1].ImagePositionPatient


def _mixed_size(tools, slices):
    slices[3] = tools.dicom_slice(np.zeros((3, 6)), (10.0, -20.0, 36.0))


def _mixed_spacing(tools, slices):
    slices[3].PixelSpacing = [2.0, 1.6]


def _missing_slice(tools, slices):
    del slices[1]


def _one_slice(tools, slices):
    del slices[1:]


def _aside(tools, slices):
    slices[2].ImagePositionPatient = [14.0, -20.0, 34.0]


def _surplus_pixels(tools, slices):
    slices[1].PixelData = slices[1].PixelData * 2


def _few_pixels(tools, slices):
    slices[1].PixelData = slices[1].PixelData[:-4]


def _several_frames(tools, slices):
    slices[1].NumberOfFrames = 2
    slices[1].PixelData = slices[1].PixelData * 2


def _inverted(tools, slices):
    slices[1].PhotometricInterpretation = "MONOCHROME1"


def _coloured(tools, slices):
    slices[1].PhotometricInterpretation = "PALETTE COLOR"


def _no_position(tools, slices):
    del slices[1].ImagePositionPatient


def _no_pixels(tools, slices):
    del slices[1].PixelData


def _no_spacing(tools, slices):
    slices[1].PixelSpacing = [0.0, 1.5]


def _skew(tools, slices):
    slices[1].ImageOrientationPatient = [1, 0, 0, 1, 0, 0]


def _other_modality(tools, slices):
    slices[1].Modality = "CT"


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (_mixed_orientation, "one orientation"),
        (_double_position, "one slice at each position"),
        (_mixed_size, "one size"),
        (_mixed_spacing, "one pixel spacing"),
        (_missing_slice, "even steps"),
        (_one_slice, "at least 2"),
        (_aside, "even steps"),
        (_surplus_pixels, "expected 30 bytes of pixels for 3 × 5, found 60"),
        (_few_pixels, "expected 30 bytes of pixels for 3 × 5, found 26"),
        (_several_frames, "one grey-scale frame"),
        (
            _inverted,
            "expected MONOCHROME2, small values black, found MONOCHROME1, small values white; find out whether",
        ),
        (
            _coloured,
            "expected grey pixels of MONOCHROME2, found another photometric interpretation; export it in greys",
        ),
        (_no_position, "ImagePositionPatient"),
        (_no_pixels, "pixel data"),
        (_no_spacing, "PixelSpacing"),
        (_skew, "perpendicular"),
        (_other_modality, "modality CT"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_not_one_series_is_refused(tools, tmp_path, damage, found):
    _, slices = _series(tools, count=5)
    damage(tools, slices)
    tools.save_series(tmp_path, slices)
    with pytest.raises(InputError, match=found) as caught:
        read_scan(tmp_path, MRI)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not DICOM" * 100, b"\0" * 128 + b"DICM" + b"\xff" * 40])
def test_garbage_is_refused(tools, tmp_path, content):
    _, slices = _series(tools)
    tools.save_series(tmp_path, slices)
    (tmp_path / "IMG-0004-00009.dcm").write_bytes(content)
    with pytest.raises(InputError, match=r"00009\.dcm"):
        read_scan(tmp_path, MRI)


def test_a_slice_cut_short_is_refused(tools, tmp_path):
    _, slices = _series(tools)
    paths = tools.save_series(tmp_path, slices)
    content = paths[2].read_bytes()
    for kept in (200, len(content) // 2, len(content) - 10):
        paths[2].write_bytes(content[:kept])
        with pytest.raises(InputError, match=r"00003\.dcm"):
            read_scan(tmp_path, MRI)


def test_a_nifti_file_is_read_by_its_name(tools, tmp_path):
    stored = tools.patient("LAS", shape_spl=(3, 4, 5))
    path = tools.save_nifti(tmp_path / "thorax.v2.nii.gz", stored.voxels, stored.affine)
    volume = read_scan(path, CT)
    assert volume.case == "thorax.v2"
    assert volume.axis_codes == "LAS"
    np.testing.assert_array_equal(volume.voxels, stored.voxels)
    assert read_scan(path, CT, case="17").case == "17"


def test_nothing_to_read_is_said(tmp_path):
    with pytest.raises(InputError, match="found nothing"):
        read_scan(tmp_path / "absent", CT)
    with pytest.raises(InputError, match="no such files"):
        read_scan(tmp_path, CT)
