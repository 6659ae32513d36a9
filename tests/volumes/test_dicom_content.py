"""What is DICOM by its first bytes, with preamble and without."""

import io
import struct

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.errors import InvalidDicomError

from attent_tf.errors import InputError
from attent_tf.inference.dicom_seg import check_source_series
from attent_tf.volumes import read_scan
from attent_tf.volumes.dicom_content import FIRST_BYTES, is_dicom_file, looks_like_dicom, read_dicom
from attent_tf.volumes.find_scans import find_scans
from tests.support.abdomen import MRI

PIXELS = np.arange(15).reshape(3, 5) * 100 - 700


def bare(slice_: pydicom.Dataset, is_implicit: bool) -> bytes:
    """The elements alone."""
    slice_ = pydicom.Dataset(slice_)
    file = io.BytesIO()
    pydicom.dcmwrite(file, slice_, implicit_vr=is_implicit, little_endian=True, enforce_file_format=False)
    assert file.getvalue()[:2] == b"\x08\x00"
    return file.getvalue()


def bare_series(tools, folder, is_implicit, name="I{}"):
    folder.mkdir(parents=True)
    for place in range(4):
        slice_ = tools.dicom_slice(PIXELS + place, (0, 0, 2.0 * place))
        (folder / name.format(place)).write_bytes(bare(slice_, is_implicit))
    return folder


@pytest.mark.parametrize("is_implicit", [True, False])
@pytest.mark.parametrize("name", ["I{}", "I{}.dcm"])
def test_a_bare_series_is_found_and_read_as_one_with_preambles(tools, tmp_path, is_implicit, name):
    folder = bare_series(tools, tmp_path / "bare", is_implicit, name)
    found = find_scans(folder)
    assert found.single
    assert [scan.path for scan in found.scans] == [folder]
    whole = [tools.dicom_slice(PIXELS + place, (0, 0, 2.0 * place)) for place in range(4)]
    tools.save_series(tmp_path / "whole", whole)
    expected = read_scan(tmp_path / "whole", MRI)
    scan = read_scan(folder, MRI)
    assert scan.voxels[4, 2, 3] == 703
    np.testing.assert_array_equal(scan.voxels, expected.voxels)
    np.testing.assert_array_equal(scan.affine, expected.affine)


def test_a_segmentation_can_refer_to_a_bare_series(tools, tmp_path):
    folder = tmp_path / "bare"
    folder.mkdir()
    uids = [pydicom.uid.generate_uid() for _ in range(3)]
    for place in range(3):
        slice_ = tools.dicom_slice(PIXELS, (0, 0, 2.0 * place))
        slice_.StudyInstanceUID, slice_.SeriesInstanceUID, slice_.FrameOfReferenceUID = uids
        (folder / f"{place}").write_bytes(bare(slice_, True))
    slices = check_source_series(folder, MRI).images
    assert [float(slice_.ImagePositionPatient[2]) for slice_ in slices] == [0, 2, 4]
    assert {slice_.file_meta.TransferSyntaxUID for slice_ in slices} == {pydicom.uid.ImplicitVRLittleEndian}


@pytest.mark.parametrize("is_implicit", [True, False])
def test_one_bare_file_is_told_to_be_dicom(tools, tmp_path, is_implicit):
    path = tmp_path / "one"
    path.write_bytes(bare(tools.dicom_slice(PIXELS, (0, 0, 0)), is_implicit))
    with pytest.raises(InputError, match="found one DICOM file; give the folder"):
        find_scans(path)


def test_meta_information_without_preamble_is_obeyed(tools, tmp_path):
    (path,) = tools.save_series(tmp_path, [tools.dicom_slice(PIXELS, (0, 0, 0))])
    path.write_bytes(path.read_bytes()[132:])
    dataset = read_dicom(path)
    assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    np.testing.assert_array_equal(dataset.pixel_array, PIXELS)


@pytest.mark.parametrize("is_implicit", [True, False])
def test_an_empty_transfer_syntax_is_told_from_the_encoding(tools, tmp_path, is_implicit):
    elements = bare(tools.dicom_slice(PIXELS, (0, 0, 0)), is_implicit)
    path = tmp_path / "a.dcm"
    path.write_bytes(b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, 0) + elements)
    np.testing.assert_array_equal(read_dicom(path).pixel_array, PIXELS)


GARBAGE = {
    "empty": b"",
    "a few bytes": b"\x08\x00\x05",
    "text": b"This folder was exported on Tuesday. " * 40,
    "zeros": bytes(2000),
    "an odd length": struct.pack("<HHI", 8, 5, 3) + b"abc" + struct.pack("<HHI", 8, 8, 4) + bytes(900),
    "a length beyond sense": struct.pack("<HHI", 8, 5, 70000) + bytes(2000),
    "tags that do not rise": struct.pack("<HHI", 8, 0x16, 4) + b"1.2\0" + struct.pack("<HHI", 8, 5, 4) + bytes(900),
    "a NIfTI header": struct.pack("<i", 348) + bytes(2000),
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused_in_one_line(tmp_path, content):
    assert not looks_like_dicom(content[:FIRST_BYTES])
    (tmp_path / "a.dcm").write_bytes(content)
    assert not is_dicom_file(tmp_path / "a.dcm")
    with pytest.raises(InvalidDicomError):
        read_dicom(tmp_path / "a.dcm")
    with pytest.raises(InputError, match=r"a\.dcm: expected a DICOM file, found other content; remove it"):
        read_scan(tmp_path, MRI)


def test_two_elements_that_name_no_object_are_no_dicom(tmp_path):
    # Little else begins like this; that it names what it is settles it.
    content = struct.pack("<HHI", 8, 5, 4) + b"abcd" + struct.pack("<HHI", 8, 8, 4) + b"efgh"
    assert looks_like_dicom(content)
    (tmp_path / "a.dcm").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.dcm: expected a DICOM file, found other content"):
        read_scan(tmp_path, MRI)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(content):
    looks_like_dicom(content)
    looks_like_dicom(b"\x08\x00" + content)


def test_what_cannot_be_opened_is_no_dicom(tmp_path):
    assert not is_dicom_file(tmp_path)
    assert not is_dicom_file(tmp_path / "absent")
