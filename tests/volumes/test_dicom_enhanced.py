"""Enhanced multi-frame objects are read as the series of single frames of the same scan."""

import numpy as np
import pydicom
import pydicom.uid
import pytest
from pydicom.dataset import Dataset

from attent_tf.errors import InputError
from attent_tf.volumes import read_scan
from tests.support.abdomen import ABDOMEN, CT, MRI
from tests.support.dicom_folders import UID, body, enhanced_dataset, heights, write_enhanced, write_series

VOXELS = body(5)
HEIGHTS = heights(5, start_mm=-20.0)


def _domain(modality):
    return "ct" if modality == "CT" else "mri"


def _refused(folder, domain="ct"):
    with pytest.raises(InputError) as caught:
        read_scan(folder, ABDOMEN.domain(domain))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("modality", ["CT", "MR"])
@pytest.mark.parametrize("per_frame", [False, True])
@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_values_and_grid_are_those_of_single_frames(tmp_path, modality, per_frame, order):
    write_series(tmp_path / "single", VOXELS, HEIGHTS, modality=modality)
    frames, places = VOXELS[list(order)], [HEIGHTS[place] for place in order]
    dataset = enhanced_dataset((frames + 1024) / 2, places, modality, [(2.0, -1024.0)], per_frame=per_frame)
    write_enhanced(tmp_path / "enhanced" / "I1", dataset)
    expected = read_scan(tmp_path / "single", ABDOMEN.domain(_domain(modality)))
    found = read_scan(tmp_path / "enhanced", ABDOMEN.domain(_domain(modality)))
    # Stored in steps of 2.
    np.testing.assert_array_equal(found.voxels, np.trunc((VOXELS + 1024) / 2).transpose(2, 1, 0) * 2 - 1024)
    np.testing.assert_allclose(found.voxels, expected.voxels, atol=1)
    np.testing.assert_array_equal(found.affine, expected.affine)
    assert found.warnings == ()


def test_each_frame_is_rescaled_by_its_own_values(tmp_path):
    stored = np.arange(5 * 3 * 4).reshape(5, 3, 4)
    rescale = [(1.0, 0.0), (2.0, 5.0), (0.5, -1.0), (3.0, 7.0), (1.5, 100.0)]
    write_enhanced(tmp_path / "I1.dcm", enhanced_dataset(stored, HEIGHTS, "MR", rescale))
    expected = np.stack([frame * slope + added for frame, (slope, added) in zip(stored, rescale, strict=True)])
    np.testing.assert_array_equal(read_scan(tmp_path, MRI).voxels, expected.transpose(2, 1, 0))


@pytest.mark.parametrize("syntax", [pydicom.uid.RLELossless, pydicom.uid.ExplicitVRBigEndian])
def test_frames_in_other_encodings(tmp_path, syntax):
    dataset = enhanced_dataset(VOXELS, HEIGHTS)
    if syntax.is_compressed:
        dataset.compress(syntax, generate_instance_uid=False)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.PixelData = VOXELS.astype(">i2").tobytes()
    write_enhanced(tmp_path / "I1.dcm", dataset)
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, VOXELS.transpose(2, 1, 0))


@pytest.mark.parametrize(
    ("modality", "sop_class"),
    [
        ("CT", pydicom.uid.LegacyConvertedEnhancedCTImageStorage),
        ("MR", pydicom.uid.LegacyConvertedEnhancedMRImageStorage),
    ],
)
def test_series_that_an_archive_converted(tmp_path, modality, sop_class):
    dataset = enhanced_dataset(VOXELS, HEIGHTS, modality)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = sop_class
    write_enhanced(tmp_path / "I1.dcm", dataset)
    np.testing.assert_array_equal(
        read_scan(tmp_path, ABDOMEN.domain(_domain(modality))).voxels, VOXELS.transpose(2, 1, 0)
    )


def test_parts_of_one_scan_in_several_objects_are_put_together(tmp_path):
    write_enhanced(tmp_path / "I1.dcm", enhanced_dataset(VOXELS[:2], HEIGHTS[:2]))
    write_enhanced(tmp_path / "I2.dcm", enhanced_dataset(VOXELS[2:], HEIGHTS[2:]))
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, VOXELS.transpose(2, 1, 0))


def test_objects_of_several_series_are_told_apart(tmp_path):
    write_enhanced(tmp_path / "I1.dcm", enhanced_dataset(VOXELS, HEIGHTS, series="1"))
    write_enhanced(tmp_path / "I2.dcm", enhanced_dataset(VOXELS + 1, HEIGHTS, series="2"))
    assert f"found 2 series, {UID}1 (number 1): 5 slices, {UID}2 (number 2): 5 slices;" in _refused(tmp_path)
    chosen = read_scan(tmp_path, CT, series="2")
    np.testing.assert_array_equal(chosen.voxels, VOXELS.transpose(2, 1, 0) + 1)


def _content(element):
    def tell_apart(frame, place):
        item = Dataset()
        setattr(item, element, str(place // 5 + 1) if element == "StackID" else place // 5 + 1)
        frame.FrameContentSequence = [item]

    return tell_apart


def _echo(frame, place):
    item = Dataset()
    item.EffectiveEchoTime = 2.3 * (place // 5 + 1)
    frame.MREchoSequence = [item]


@pytest.mark.parametrize(
    ("tell_apart", "what"),
    [
        (_content("StackID"), "stacks"),
        (_content("TemporalPositionIndex"), "time points"),
        (_echo, "echo times"),
    ],
)
def test_several_scans_in_one_object_are_refused_with_what_they_are(tmp_path, tell_apart, what):
    dataset = enhanced_dataset(np.concatenate([VOXELS, VOXELS]), HEIGHTS * 2, "MR")
    for place, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        tell_apart(frame, place)
    path = write_enhanced(tmp_path / "I1.dcm", dataset)
    assert _refused(tmp_path, "mri") == (
        f"{tmp_path}: expected one slice at each position, found {path}, frame 1 and {path}, frame 6 at -20.00 mm, "
        f"of several {what}; export one of them as a series of its own"
    )


def test_a_missing_frame_is_told_as_a_missing_slice(tmp_path):
    write_enhanced(tmp_path / "I1.dcm", enhanced_dataset(VOXELS[:4], [0.0, 5.0, 15.0, 20.0]))
    assert "at even steps" in _refused(tmp_path)
    assert "I1.dcm, frame " in _refused(tmp_path)


def test_a_frame_without_a_position_is_named(tmp_path):
    dataset = enhanced_dataset(VOXELS, HEIGHTS)
    del dataset.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    write_enhanced(tmp_path / "I1.dcm", dataset)
    assert "I1.dcm, frame 3: expected 3 numbers in ImagePositionPatient, found" in _refused(tmp_path)


def test_groups_that_do_not_fit_the_frames_are_refused(tmp_path):
    dataset = enhanced_dataset(VOXELS, HEIGHTS)
    dataset.PerFrameFunctionalGroupsSequence.pop()
    write_enhanced(tmp_path / "I1.dcm", dataset)
    groups = "expected one item per frame in PerFrameFunctionalGroupsSequence"
    expected = f"I1.dcm: {groups}, found 4 for 5 frames; copy the file again"
    assert expected in _refused(tmp_path)


@pytest.mark.parametrize("change", [-2, 60 * 50 * 2])
def test_too_few_or_too_many_pixels_are_refused(tmp_path, change):
    dataset = enhanced_dataset(VOXELS, HEIGHTS)
    dataset.PixelData = dataset.PixelData[:change] if change < 0 else dataset.PixelData + bytes(change)
    write_enhanced(tmp_path / "I1.dcm", dataset)
    expected = f"I1.dcm: expected 30000 bytes of pixels for 5 frames of 50 × 60, found {30000 + change}"
    assert expected in _refused(tmp_path)


def test_an_unknown_encoding_is_told(tmp_path):
    dataset = enhanced_dataset(VOXELS, HEIGHTS)
    path = write_enhanced(tmp_path / "I1.dcm", dataset)
    known, unknown = b"1.2.840.10008.1.2.1\0", b"1.2.840.99999.1.2.1\0"
    assert path.read_bytes().count(known) == 1
    path.write_bytes(path.read_bytes().replace(known, unknown))
    assert "I1.dcm, frame 1: expected pixels that can be decoded, found an unknown transfer syntax" in _refused(
        tmp_path
    )


def test_an_object_without_pixels_is_told(tmp_path):
    dataset = enhanced_dataset(VOXELS, HEIGHTS)
    del dataset.PixelData
    write_enhanced(tmp_path / "I1.dcm", dataset)
    assert "I1.dcm, frame 1: expected pixel data, found none" in _refused(tmp_path)


def test_padding_of_frames_is_air(tmp_path):
    padded = VOXELS.copy()
    padded[:, :3] = 3000
    dataset = enhanced_dataset(padded, HEIGHTS)
    dataset.add_new("PixelPaddingValue", "SS", 3000)
    write_enhanced(tmp_path / "I1.dcm", dataset)
    assert (VOXELS[:, :3] == -1000).all()
    np.testing.assert_array_equal(read_scan(tmp_path, CT).voxels, VOXELS.transpose(2, 1, 0))


def test_frames_lost_from_compressed_pixels_are_refused(tmp_path):
    dataset = enhanced_dataset(VOXELS[:4], HEIGHTS[:4])
    dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
    whole = enhanced_dataset(VOXELS, HEIGHTS)
    whole.file_meta.TransferSyntaxUID = pydicom.uid.RLELossless
    whole.PixelData = dataset.PixelData
    whole["PixelData"].VR = "OB"
    write_enhanced(tmp_path / "I1.dcm", whole)
    assert "I1.dcm: expected a whole DICOM file" in _refused(tmp_path)


def test_an_object_of_the_other_modality_is_refused(tmp_path):
    write_enhanced(tmp_path / "I1.dcm", enhanced_dataset(VOXELS, HEIGHTS, "MR"))
    assert "I1.dcm, frame 1: expected a slice of domain ct, found modality MR" in _refused(tmp_path)
