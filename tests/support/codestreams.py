"""Pixels as codestreams of compressed DICOM, and slices that hold them."""

import imagecodecs
import numpy as np
import pydicom
from pydicom.encaps import encapsulate


def jpeg(stored: np.ndarray, bits: int, predictor: int | None = None) -> bytes:
    """JPEG by libjpeg-turbo: lossless where there is a predictor, otherwise baseline or, of 12 bits, extended.

    Args:
      stored: [row, column] signed or unsigned; the codestream knows bits alone.
      bits: of a sample.
    """
    raw = (stored.astype(np.int64) & (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16)
    if predictor is None:
        return imagecodecs.jpeg8_encode(raw, level=95, bitspersample=bits)
    return imagecodecs.jpeg8_encode(raw, lossless=True, bitspersample=bits, predictor=predictor)


def jpeg_lossless_by_liblj92(stored: np.ndarray, bits: int) -> bytes:
    return imagecodecs.ljpeg_encode((stored.astype(np.int64) & (2**bits - 1)).astype(np.uint16), bitspersample=bits)


def htj2k(stored: np.ndarray, reversible: bool = True) -> bytes:
    """By OpenJPH, where the library reads with OpenJPEG."""
    return imagecodecs.htj2k_encode(stored, reversible=reversible)


def jpeg_2000(stored: np.ndarray) -> bytes:
    return imagecodecs.jpeg2k_encode(stored, codecformat="J2K", reversible=True)


def jpeg_ls(stored: np.ndarray) -> bytes:
    return imagecodecs.jpegls_encode(stored.view(np.uint16))


def frame_header(codestream: bytes) -> tuple[int, int]:
    """The marker that tells a JPEG's process, and its bits a sample."""
    at = 2
    while codestream[at + 1] not in (0xC0, 0xC1, 0xC2, 0xC3):
        at += 2 + int.from_bytes(codestream[at + 2 : at + 4], "big")
    return codestream[at + 1], codestream[at + 4]


def hold(
    slice_: pydicom.Dataset, syntax: pydicom.uid.UID, codestream: bytes, fragments: int = 1, offset_table: bool = True
) -> pydicom.Dataset:
    """Puts a codestream in the place of the pixels of a slice."""
    slice_.PixelData = encapsulate([codestream], fragments_per_frame=fragments, has_bot=offset_table)
    slice_["PixelData"].VR = "OB"
    slice_["PixelData"].is_undefined_length = True
    slice_.file_meta.TransferSyntaxUID = syntax
    return slice_


def stored_as(slice_: pydicom.Dataset, stored: np.ndarray, bits: int) -> pydicom.Dataset:
    """Makes a slice hold these values uncompressed, in so many bits of 8 or 16."""
    slice_.BitsAllocated = 8 if bits <= 8 else 16
    slice_.BitsStored, slice_.HighBit = bits, bits - 1
    slice_.PixelRepresentation = int(np.issubdtype(stored.dtype, np.signedinteger))
    slice_.Rows, slice_.Columns = stored.shape
    slice_.PixelData = stored.astype(f"<{stored.dtype.kind}{slice_.BitsAllocated // 8}").tobytes()
    if len(slice_.PixelData) % 2:
        slice_.PixelData += b"\0"
    return slice_
