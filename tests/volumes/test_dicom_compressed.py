"""Compressed DICOM slices: every transfer syntax that is read, with codestreams made here."""

import copy
import random

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.pixels import get_decoder, get_encoder

from attent_tf.errors import InputError
from attent_tf.volumes import dicom_codecs, read_scan
from attent_tf.volumes.dicom import read_slices
from tests.support import codestreams
from tests.support.abdomen import MRI
from tests.support.codestreams import hold, stored_as

# Odd in both directions, and with neither a smooth nor a small range.
SHAPE = (13, 21)


def stored_values(bits: int, is_signed: bool) -> np.ndarray:
    """The whole range of values, both ends among them."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
    values = np.random.default_rng(bits).integers(low, high + 1, SHAPE)
    values[0, :2] = low, high
    values[4:8] = np.linspace(low, high, 4 * SHAPE[1]).reshape(4, -1)
    return values.astype(np.int16 if is_signed else np.uint16)


def smooth_values(high: int) -> np.ndarray:
    """What a lossy codec is made for."""
    row, column = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.rint(high * (0.5 + 0.4 * np.sin(row / 5) * np.cos(column / 7))).astype(np.uint16)


def read_one(tools, folder, slice_) -> np.ndarray:
    """[row, column] as `read_scan` reads it, out of a series of two such slices."""
    other = copy.deepcopy(slice_)
    other.ImagePositionPatient = [0, 0, 3.2]
    tools.save_series(folder, [slice_, other])
    voxels = np.asarray(read_scan(folder, MRI).voxels)
    np.testing.assert_array_equal(voxels[..., 0], voxels[..., 1])
    return voxels[..., 0].T


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (uid.JPEGLosslessSV1, lambda stored, bits: codestreams.jpeg(stored, bits, predictor=1)),
        (uid.JPEGLosslessSV1, codestreams.jpeg_lossless_by_liblj92),
        (uid.JPEGLossless, lambda stored, bits: codestreams.jpeg(stored, bits, predictor=1)),
        (uid.JPEGLossless, lambda stored, bits: codestreams.jpeg(stored, bits, predictor=4)),
        (uid.JPEGLossless, lambda stored, bits: codestreams.jpeg(stored, bits, predictor=7)),
        (uid.HTJ2KLossless, lambda stored, bits: codestreams.htj2k(stored)),
        (uid.HTJ2KLosslessRPCL, lambda stored, bits: codestreams.htj2k(stored)),
        (uid.HTJ2K, lambda stored, bits: codestreams.htj2k(stored)),
        (uid.JPEG2000Lossless, lambda stored, bits: codestreams.jpeg_2000(stored)),
        (uid.JPEG2000, lambda stored, bits: codestreams.jpeg_2000(stored)),
        (uid.JPEGLSLossless, lambda stored, bits: codestreams.jpeg_ls(stored)),
        (uid.JPEGLSNearLossless, lambda stored, bits: codestreams.jpeg_ls(stored)),
    ],
)
def test_lossless_pixels_come_back_to_the_bit(tools, tmp_path, syntax, encode, bits, is_signed):
    stored = stored_values(bits, is_signed)
    slice_ = stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, bits)
    slice_.RescaleSlope, slice_.RescaleIntercept = 2, -1024
    hold(slice_, syntax, encode(stored, bits))
    np.testing.assert_array_equal(read_one(tools, tmp_path, slice_), stored.astype(np.float64) * 2 - 1024)


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_run_lengths_come_back_to_the_bit(tools, tmp_path, is_signed):
    stored = stored_values(16, is_signed)
    slice_ = stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, 16)
    hold(slice_, uid.RLELossless, get_encoder(uid.RLELossless).encode(slice_, index=0))
    np.testing.assert_array_equal(read_one(tools, tmp_path, slice_), stored)


def test_eight_bits_in_sixteen_are_lossless(tools, tmp_path):
    stored = stored_values(8, False)
    slice_ = stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, 12)
    slice_.BitsStored, slice_.HighBit = 8, 7
    hold(slice_, uid.JPEGLosslessSV1, codestreams.jpeg(stored, 8, predictor=1))
    np.testing.assert_array_equal(read_one(tools, tmp_path, slice_), stored)


def test_twelve_bit_jpeg_is_read_within_its_own_error(tools, tmp_path):
    stored = smooth_values(4095)
    codestream = codestreams.jpeg(stored, 12)
    assert codestreams.frame_header(codestream) == (0xC1, 12)
    slice_ = hold(
        stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, 12), uid.JPEGExtended12Bit, codestream
    )
    np.testing.assert_allclose(read_one(tools, tmp_path, slice_), stored, atol=0.003 * 4095)


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit])
def test_eight_bit_jpeg_is_read_within_its_own_error(tools, tmp_path, syntax):
    stored = smooth_values(255)
    codestream = codestreams.jpeg(stored, 8)
    assert codestreams.frame_header(codestream) == (0xC0, 8)
    slice_ = hold(stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, 8), syntax, codestream)
    np.testing.assert_allclose(read_one(tools, tmp_path, slice_), stored, atol=3)


def test_lossy_htj2k_is_read_within_its_own_error(tools, tmp_path):
    stored = smooth_values(4095)
    slice_ = stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, 12)
    hold(slice_, uid.HTJ2K, codestreams.htj2k(stored, reversible=False))
    found = read_one(tools, tmp_path, slice_)
    np.testing.assert_allclose(found, stored, atol=0.01 * 4095)


@pytest.mark.parametrize("offset_table", [True, False])
@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("odd", [True, False])
def test_a_frame_may_lie_in_pieces_of_any_length(tools, tmp_path, fragments, offset_table, odd):
    stored = stored_values(16, True)
    codestream = codestreams.jpeg(stored, 16, predictor=1)
    if len(codestream) % 2 != odd:
        # A comment after the start of the image.
        codestream = codestream[:2] + b"\xff\xfe\x00\x03x" + codestream[2:]
    slice_ = stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, 16)
    hold(slice_, uid.JPEGLosslessSV1, codestream, fragments, offset_table)
    np.testing.assert_array_equal(read_one(tools, tmp_path, slice_), stored)


CODESTREAMS = {
    uid.JPEGLosslessSV1: lambda stored: codestreams.jpeg(stored, 16, predictor=1),
    uid.JPEGExtended12Bit: lambda stored: codestreams.jpeg(stored, 12),
    uid.JPEGBaseline8Bit: lambda stored: codestreams.jpeg(stored, 8),
    uid.HTJ2KLossless: codestreams.htj2k,
    uid.JPEG2000Lossless: codestreams.jpeg_2000,
    uid.JPEGLSLossless: codestreams.jpeg_ls,
}
BITS = {uid.JPEGExtended12Bit: 12, uid.JPEGBaseline8Bit: 8}


@pytest.mark.parametrize("syntax", CODESTREAMS, ids=lambda syntax: syntax.keyword)
def test_a_frame_that_was_cut_off_is_refused_in_one_line(tools, tmp_path, capfd, syntax):
    bits = BITS.get(syntax, 16)
    stored = stored_values(bits, False)
    codestream = CODESTREAMS[syntax](stored)
    slice_ = hold(
        stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, bits),
        syntax,
        codestream[: len(codestream) // 3],
    )
    with pytest.raises(InputError) as refused:
        read_one(tools, tmp_path, slice_)
    (path, *_) = sorted(tmp_path.iterdir())
    expected = f"{path}: expected pixels of 13 × 21, found that decoding {syntax.name} failed; copy the file again"
    assert str(refused.value) == expected
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("syntax", CODESTREAMS, ids=lambda syntax: syntax.keyword)
def test_damaged_frames_are_read_or_refused(tools, tmp_path, syntax):
    bits = BITS.get(syntax, 16)
    stored = smooth_values(2**bits - 1)
    codestream = CODESTREAMS[syntax](stored)
    slice_ = stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, bits)
    dice = random.Random(7)
    messages = []
    for _ in range(60):
        damaged = bytearray(codestream)
        for _ in range(dice.choice([1, 3, 10])):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        try:
            read_one(tools, tmp_path, hold(slice_, syntax, bytes(damaged)))
        except InputError as error:
            messages.append(str(error))
    assert messages
    assert not any("\n" in message for message in messages)


def test_a_frame_of_another_size_is_refused(tools, tmp_path):
    stored = smooth_values(4095)
    slice_ = stored_as(tools.dicom_slice(np.zeros((21, 13)), (0, 0, 0)), stored.reshape(21, 13), 12)
    hold(slice_, uid.JPEGLosslessSV1, codestreams.jpeg(stored, 12, predictor=1))
    with pytest.raises(InputError, match="expected pixels of 21 × 13, found that decoding JPEG Lossless"):
        read_one(tools, tmp_path, slice_)


@pytest.mark.parametrize("place", ["rows", "columns", "components"])
def test_htj2k_that_claims_more_pixels_is_refused_before_it_takes_their_memory(tools, tmp_path, monkeypatch, place):
    stored = smooth_values(4095)
    codestream = bytearray(codestreams.htj2k(stored))
    at, size, claimed = {"columns": (8, 4, 10**9), "rows": (12, 4, 10**9), "components": (40, 2, 3)}[place]
    codestream[at : at + size] = claimed.to_bytes(size, "big")
    slice_ = stored_as(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), stored, 12)
    hold(slice_, uid.HTJ2KLossless, bytes(codestream))
    monkeypatch.setattr("imagecodecs.jpeg2k_decode", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(InputError, match="expected pixels of 13 × 21, found that decoding High-Throughput JPEG 2000"):
        read_one(tools, tmp_path, slice_)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (uid.MPEG2MPML, "MPEG2 Main Profile / Main Level"),
        ("1.2.840.99999.1.2.4.100", "an unknown transfer syntax"),
        ("1.2.840.10008.9.9.9.999", "an unknown transfer syntax"),
        ("Surname^Name of patient", "an unknown transfer syntax"),
    ],
)
def test_a_syntax_that_cannot_be_read_is_named_where_it_has_a_name(tools, tmp_path, written, found):
    slice_ = hold(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), uid.MPEG2MPML, b"\0\0")
    (path,) = tools.save_series(tmp_path, [slice_])
    content = path.read_bytes()
    assert content.count(uid.MPEG2MPML.encode()) == 1
    path.write_bytes(content.replace(uid.MPEG2MPML.encode(), written.encode()))
    with pytest.raises(InputError, match=f"expected pixels that can be decoded, found {found}; decompress them"):
        list(read_slices(path))


def test_a_decoder_that_is_not_installed_is_named(tools, tmp_path, monkeypatch):
    monkeypatch.setitem(dicom_codecs.PLUGIN_OF_SYNTAX, uid.JPEGLSLossless, "absent")
    slice_ = hold(tools.dicom_slice(np.zeros(SHAPE), (0, 0, 0)), uid.JPEGLSLossless, b"\0\0")
    with pytest.raises(InputError, match="found JPEG-LS Lossless Image Compression and no absent; install"):
        read_one(tools, tmp_path, slice_)


def test_every_syntax_of_the_table_has_its_decoder():
    assert {syntax: name for syntax, name in dicom_codecs.PLUGIN_OF_SYNTAX.items() if name not in plugins(syntax)} == {}


def plugins(syntax: pydicom.uid.UID) -> tuple[str, ...]:
    return get_decoder(syntax).available_plugins
