"""Elements of DICOM slices that are missing, empty or damaged."""

import numpy as np
import pydicom
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import read_scan
from attent_tf.volumes.dicom_elements import number_of, numbers_of
from tests.support.abdomen import ABDOMEN, MRI

PIXELS = np.arange(15).reshape(3, 5) * 10


def read(tools, folder, edit, domain="mri"):
    slices = [tools.dicom_slice(PIXELS, (0, 0, 2.0 * place)) for place in range(2)]
    for slice_ in slices:
        slice_.Modality = {"mri": "MR", "ct": "CT"}[domain]
        slice_["PixelData"].VR = "OW"
        edit(slice_)
    tools.save_series(folder, slices)
    return np.asarray(read_scan(folder, ABDOMEN.domain(domain)).voxels)


@pytest.mark.parametrize("domain", ["mri", "ct"])
def test_an_empty_or_missing_rescaling_leaves_values_as_they_are(tools, tmp_path, domain):
    def empty(slice_):
        slice_.RescaleSlope = slice_.RescaleIntercept = None

    for name, edit in (("empty", empty), ("missing", lambda slice_: None)):
        np.testing.assert_array_equal(read(tools, tmp_path / name, edit, domain)[..., 0].T, PIXELS)


def test_each_half_of_a_rescaling_may_be_empty(tools, tmp_path):
    def no_slope(slice_):
        slice_.RescaleSlope, slice_.RescaleIntercept = None, -5

    def no_intercept(slice_):
        slice_.RescaleSlope, slice_.RescaleIntercept = 3, None

    np.testing.assert_array_equal(read(tools, tmp_path / "slope", no_slope)[..., 0].T, PIXELS - 5)
    np.testing.assert_array_equal(read(tools, tmp_path / "intercept", no_intercept)[..., 0].T, PIXELS * 3)


@pytest.mark.parametrize("keyword", ["SamplesPerPixel", "NumberOfFrames", "PhotometricInterpretation"])
def test_what_grey_slices_need_not_say_may_be_empty(tools, tmp_path, keyword):
    found = read(tools, tmp_path, lambda slice_: setattr(slice_, keyword, None))
    np.testing.assert_array_equal(found[..., 0].T, PIXELS)


COUNTS = {
    "Rows": "1 number",
    "Columns": "1 number",
    "PixelSpacing": "2 numbers",
    "ImagePositionPatient": "3 numbers",
    "ImageOrientationPatient": "6 numbers",
    "BitsAllocated": "1 number",
    "BitsStored": "1 number",
    "PixelRepresentation": "1 number",
}


@pytest.mark.parametrize("keyword", COUNTS)
def test_an_element_that_is_missing_or_empty_is_told_as_such(tools, tmp_path, keyword):
    for found, edit in (
        ("an empty element", lambda slice_: setattr(slice_, keyword, None)),
        ("none", lambda slice_: delattr(slice_, keyword)),
    ):
        with pytest.raises(InputError) as refused:
            read(tools, tmp_path, edit)
        path = tmp_path / "IMG-0004-00001.dcm"
        assert str(refused.value) == f"{path}: expected {COUNTS[keyword]} in {keyword}, found {found}; correct the file"


@pytest.mark.parametrize(
    "edit", [lambda slice_: delattr(slice_, "PixelData"), lambda slice_: setattr(slice_, "PixelData", b"")]
)
def test_a_slice_without_pixels_is_told_as_such(tools, tmp_path, edit):
    with pytest.raises(InputError, match=r"00001\.dcm: expected pixel data, found none; copy the file again"):
        read(tools, tmp_path, edit)


def element(vr, value):
    dataset = pydicom.Dataset()
    dataset.add(pydicom.DataElement("PixelSpacing", vr, value))
    return dataset


@pytest.mark.parametrize(
    ("dataset", "found"),
    [
        (pydicom.Dataset(), "none"),
        (element("DS", None), "an empty element"),
        (element("DS", ""), "an empty element"),
        (element("DS", []), "an empty element"),
        (element("DS", "2"), "2"),
        (element("DS", ["2", ""]), "2, an empty value"),
        (element("DS", ["2", "3", "4"]), "2, 3, 4"),
        (element("LO", ["Name", "of somebody"]), "other content"),
        (element("OB", b"\1\2"), "other content"),
        (element("FD", [1.0, float("inf")]), "1, inf"),
    ],
)
def test_numbers_that_are_not_there_are_told_as_what_is(dataset, found):
    with pytest.raises(
        InputError, match=f"^a.dcm: expected 2 numbers in PixelSpacing, found {found}; correct the file$"
    ):
        numbers_of(dataset, "a.dcm", "PixelSpacing", 2)


def test_a_damaged_number_is_told_without_being_quoted(tools, tmp_path):
    paths = tools.save_series(tmp_path, [tools.dicom_slice(PIXELS, (0, 0, 2.0 * place)) for place in range(2)])
    content = paths[0].read_bytes()
    paths[0].write_bytes(content.replace(b"2.0\\1.5", b"2.0\\Sue"))
    with pytest.raises(
        InputError, match=r"00001\.dcm: expected 2 numbers in PixelSpacing, found other content; correct"
    ):
        read_scan(tmp_path, MRI)


def test_numbers_come_as_they_are():
    np.testing.assert_array_equal(numbers_of(element("DS", ["2", "1.5"]), "a.dcm", "PixelSpacing", 2), [2, 1.5])
    assert number_of(element("DS", "2.5"), "a.dcm", "PixelSpacing") == 2.5
    assert number_of(pydicom.Dataset(), "a.dcm", "PixelSpacing", 7) == 7
    assert number_of(element("DS", None), "a.dcm", "PixelSpacing", 7) == 7
