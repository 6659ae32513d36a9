"""Padding of DICOM slices: no measurement, and air in what is read."""

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attent_tf.errors import InputError
from attent_tf.volumes import PrepareOptions, Volume, prepare, read_scan
from attent_tf.volumes.dicom_padding import padding_mask, without_padding
from tests.support.abdomen import ABDOMEN, CT
from tests.support.codestreams import hold, htj2k, stored_as

UNSIGNED, SIGNED = np.uint16, np.int16


def read(tools, folder, stored, domain="ct", **elements) -> np.ndarray:
    """[row, column] of a slice with these stored values and elements, as `read_scan` reads it."""
    series = []
    for place in range(2):
        slice_ = tools.dicom_slice(
            np.zeros(stored.shape), (0, 0, 3.2 * place), modality={"ct": "CT", "mri": "MR"}[domain]
        )
        stored_as(slice_, stored, 16)
        for keyword, value in elements.items():
            if isinstance(value, tuple):
                slice_.add_new(pydicom.datadict.tag_for_keyword(keyword), *value)
            else:
                setattr(slice_, keyword, value)
        series.append(slice_)
    tools.save_series(folder, series)
    return np.asarray(read_scan(folder, ABDOMEN.domain(domain)).voxels)[..., 0].T


HU = {"RescaleSlope": 1, "RescaleIntercept": -1024}


@pytest.mark.parametrize(
    ("stored", "padding", "expected"),
    [
        # 63536 in unsigned pixels would be 62512 HU.
        (np.array([[63536, 24], [1024, 63535]], UNSIGNED), ("US", 63536), [[-1000, -1000], [0, 62511]]),
        # The same bits, said as a signed number.
        (np.array([[63536, 24], [1024, 63535]], UNSIGNED), ("SS", -2000), [[-1000, -1000], [0, 62511]]),
        # Below air it stays: -2000 - 1024.
        (np.array([[-2000, 24], [1024, -1999]], SIGNED), ("SS", -2000), [[-3024, -1000], [0, -3023]]),
        (np.array([[-2000, 24], [1024, -1999]], SIGNED), ("US", 63536), [[-3024, -1000], [0, -3023]]),
        (np.array([[32767, 24], [1024, 32766]], SIGNED), ("SS", 32767), [[-1000, -1000], [0, 31742]]),
        (np.array([[0, 24], [1024, 1]], UNSIGNED), ("US", 0), [[-1024, -1000], [0, -1023]]),
    ],
)
def test_padding_of_a_ct_is_air_whatever_the_sign_of_pixels_and_value(tools, tmp_path, stored, padding, expected):
    found = read(tools, tmp_path, stored, **HU, PixelPaddingValue=padding)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("ends", [(3000, 3002), (3002, 3000)])
@pytest.mark.parametrize("dtype", [UNSIGNED, SIGNED])
def test_a_range_holds_both_its_ends_and_may_be_said_in_either_order(tools, tmp_path, dtype, ends):
    stored = np.array([[2999, 3000, 3001], [3002, 3003, 24]], dtype)
    vr = "SS" if dtype == SIGNED else "US"
    found = read(tools, tmp_path, stored, **HU, PixelPaddingValue=(vr, ends[0]), PixelPaddingRangeLimit=(vr, ends[1]))
    np.testing.assert_array_equal(found, [[1975, -1000, -1000], [-1000, 1979, -1000]])


def test_a_range_across_zero_is_no_range_of_everything():
    stored = np.array([[-2000, -1, 0, 1, 500]], SIGNED)
    # Unsigned numbers for the signed range -2000 to 0.
    np.testing.assert_array_equal(padding_mask(stored, 63536, 0, 16, 16, True), [[1, 1, 1, 0, 0]])
    # Signed numbers for unsigned pixels: from 63536 up over the end of the circle to 0.
    unsigned = np.array([[63535, 63536, 65535, 0, 1]], UNSIGNED)
    np.testing.assert_array_equal(padding_mask(unsigned, -2000, 0, 16, 16, False), [[0, 1, 1, 1, 0]])


def test_padding_of_twelve_bit_pixels_is_told_by_its_bits():
    signed = np.array([[-2000, 2000, 96]], SIGNED)
    for value in (-2000, 63536, 4096 - 2000):
        np.testing.assert_array_equal(padding_mask(signed, value, None, 16, 12, True), [[1, 0, 0]])


@given(
    stored=st.lists(st.integers(0, 65535), min_size=1, max_size=20),
    ends=st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
    is_signed=st.booleans(),
    says_signed=st.booleans(),
)
def test_the_mask_is_the_plain_comparison_of_what_the_bits_mean(stored, ends, is_signed, says_signed):
    bits = np.array(stored, UNSIGNED)
    low, high = sorted(np.array(ends, UNSIGNED).view(SIGNED if is_signed else UNSIGNED).tolist())
    pixels = bits.view(SIGNED) if is_signed else bits
    # Said in signed numbers, a range of unsigned pixels may run over the end of the circle, which is looked at above.
    if says_signed and (is_signed or (low < 2**15) == (high < 2**15)):
        padding, limit = np.array(ends, UNSIGNED).view(SIGNED).tolist()
    else:
        padding, limit = ends
    found = padding_mask(pixels, padding, limit, 16, 16, is_signed)
    np.testing.assert_array_equal(found, (pixels >= low) & (pixels <= high))


@pytest.mark.parametrize(
    ("stored", "padding", "expected"),
    [
        # Nothing measured lies below 0: air is 0.
        (np.array([[-32768, 5], [7, 9]], SIGNED), -32768, [[0, 5], [7, 9]]),
        (np.array([[32767, 5], [7, 9]], SIGNED), 32767, [[0, 5], [7, 9]]),
        (np.array([[0, 5], [7, 9]], SIGNED), 0, [[0, 5], [7, 9]]),
        (np.array([[32767, -5], [7, 9]], SIGNED), 32767, [[-5, -5], [7, 9]]),
        # A slice that is padding throughout.
        (np.array([[32767, 32767]], SIGNED), 32767, [[0, 0]]),
    ],
)
def test_padding_of_an_mr_is_its_lowest_value_or_zero(tools, tmp_path, stored, padding, expected):
    found = read(tools, tmp_path, stored, "mri", PixelPaddingValue=("SS", padding))
    np.testing.assert_array_equal(found, expected)


def test_padding_of_a_ct_that_is_not_rescaled_does_not_make_it_look_like_hounsfield_units(tools, tmp_path):
    stored = np.array([[63536, 24], [1024, 3]], UNSIGNED)
    for number, elements in enumerate(({}, {"RescaleSlope": None, "RescaleIntercept": None})):
        found = read(tools, tmp_path / str(number), stored, PixelPaddingValue=("US", 63536), **elements)
        np.testing.assert_array_equal(found, [[0, 24], [1024, 3]])


@pytest.mark.parametrize("padding", [None, ("US", None)])
def test_without_padding_nothing_is_touched(tools, tmp_path, padding):
    stored = np.array([[63536, 24], [1024, 3]], UNSIGNED)
    elements = {} if padding is None else {"PixelPaddingValue": padding}
    np.testing.assert_array_equal(read(tools, tmp_path, stored, **HU, **elements), [[62512, -1000], [0, -1021]])


def test_padding_that_is_no_number_is_refused_by_name(tools, tmp_path):
    stored = np.array([[63536, 24], [1024, 3]], UNSIGNED)
    with pytest.raises(InputError, match="expected 1 number in PixelPaddingValue, found 1, 2; correct the file"):
        read(tools, tmp_path, stored, **HU, PixelPaddingValue=("US", [1, 2]))


@pytest.mark.parametrize("is_implicit", [True, False])
def test_padding_counts_in_implicit_encoding_where_its_sign_is_not_said(tools, tmp_path, is_implicit):
    for place in range(2):
        slice_ = tools.dicom_slice(np.zeros((2, 2)), (0, 0, place), modality="CT")
        stored_as(slice_, np.array([[-2000, 32767], [1024, 24]], SIGNED), 16)
        slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
        slice_.add_new(0x00280120, "SS", 32767)
        syntax = pydicom.uid.ImplicitVRLittleEndian if is_implicit else pydicom.uid.ExplicitVRLittleEndian
        slice_.file_meta.TransferSyntaxUID = syntax
        slice_.save_as(tmp_path / f"{place}.dcm", enforce_file_format=True)
    found = np.asarray(read_scan(tmp_path, CT).voxels)[..., 0].T
    np.testing.assert_array_equal(found, [[-3024, -1000], [0, -1000]])


def test_padding_counts_in_compressed_pixels(tools, tmp_path):
    stored = np.array([[63536, 24, 5], [1024, 3, 63536]], UNSIGNED)
    for place in range(2):
        slice_ = stored_as(tools.dicom_slice(np.zeros((2, 3)), (0, 0, place), modality="CT"), stored, 16)
        slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
        slice_.add_new(0x00280120, "US", 63536)
        hold(slice_, pydicom.uid.HTJ2KLossless, htj2k(stored))
        slice_.save_as(tmp_path / f"{place}.dcm", enforce_file_format=True)
    found = np.asarray(read_scan(tmp_path, CT).voxels)[..., 0].T
    np.testing.assert_array_equal(found, [[-1000, -1000, -1019], [0, -1021, -1000]])


def test_the_given_pixels_are_left_alone():
    pixels = np.array([[62512, 5]], np.float32)
    is_padding = np.array([[True, False]])
    without_padding(pixels, is_padding, True)
    np.testing.assert_array_equal(pixels, [[62512, 5]])


@pytest.mark.parametrize("domain", ["ct", "mri"])
def test_nothing_outside_the_body_is_bright_in_records(tools, tmp_path, domain):
    patient = tools.patient("LPS", (12, 40, 48), (10.0, 8.0, 8.0), domain)
    scan = np.asarray(patient.voxels)
    column, row = np.mgrid[: scan.shape[0], : scan.shape[1]]
    is_outside = ((column - 23.5) / 24) ** 2 + ((row - 19.5) / 20) ** 2 > 1
    for place in range(scan.shape[2]):
        stored = np.where(is_outside, 63536, scan[:, :, place] + 1024 * (domain == "ct")).T.astype(UNSIGNED)
        slice_ = tools.dicom_slice(
            np.zeros(stored.shape),
            (0, 0, 10.0 * place),
            spacing_mm=(8.0, 8.0),
            modality={"ct": "CT", "mri": "MR"}[domain],
        )
        stored_as(slice_, stored, 16)
        slice_.add_new(0x00280120, "US", 63536)
        if domain == "ct":
            slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
        slice_.save_as(tmp_path / f"{place:02}.dcm", enforce_file_format=True)
    volume = read_scan(tmp_path, ABDOMEN.domain(domain))
    air = {"ct": -1000, "mri": 0}[domain]
    np.testing.assert_array_equal(volume.voxels, np.where(is_outside[..., None], air, scan))
    images = prepare(volume, PrepareOptions()).images
    # The same scan without a round field.
    whole = prepare(Volume(scan, volume.affine, volume.case, ABDOMEN.domain(domain)), PrepareOptions()).images
    assert np.count_nonzero(whole > 0) > 1000
    np.testing.assert_allclose(images, whole, atol=0.02)
