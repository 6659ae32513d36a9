"""Pixels of one DICOM slice: decoded, rescaled, and air where the file pads."""

import numpy as np
import pydicom
from pydicom.pixels import get_decoder, pixel_array

from attent_tf.errors import InputError
from attent_tf.volumes import dicom_codecs
from attent_tf.volumes.dicom_elements import number_of, numbers_of
from attent_tf.volumes.dicom_padding import padding_mask, without_padding

dicom_codecs.register()

# What is read is of this kind, and the file need not say so.
_GREY = {"samples_per_pixel": 1, "number_of_frames": 1, "photometric_interpretation": "MONOCHROME2"}


def slice_pixels(dataset: pydicom.Dataset, path: str, rows: int, columns: int) -> np.ndarray:
    """Reads the pixels of a slice.

    Args:
      dataset: the elements of a slice with one grey-scale frame, and `file_meta` with its transfer syntax.
      path: what messages call the file.
      rows, columns: how many there must be.

    Returns:
      [row, column] float32, rescaled where the file says so; padding is air.

    Raises:
      InputError: the pixels are missing, damaged, of another kind, or compressed in a way that cannot be read.
    """
    if number_of(dataset, path, "SamplesPerPixel", 1) != 1 or number_of(dataset, path, "NumberOfFrames", 1) != 1:
        raise InputError(path, "one grey-scale frame", "several frames or colours", "export single slices")
    _check_greys(str(dataset.get("PhotometricInterpretation") or "MONOCHROME2"), path)
    stored = _stored_pixels(dataset, path, rows, columns)
    slope = number_of(dataset, path, "RescaleSlope", 1.0)
    intercept = number_of(dataset, path, "RescaleIntercept", 0.0)
    pixels = stored.astype(np.float32)
    pixels *= np.float32(slope)
    pixels += np.float32(intercept)
    if not np.isfinite(pixels).all():
        raise InputError(path, "finite intensities", f"a rescaling by {slope:g} and {intercept:g}", "correct the file")
    padding = number_of(dataset, path, "PixelPaddingValue")
    if padding is None:
        return pixels
    limit = number_of(dataset, path, "PixelPaddingRangeLimit")
    is_padding = padding_mask(
        stored,
        int(padding),
        None if limit is None else int(limit),
        *(_whole_number(dataset, path, word) for word in ("BitsAllocated", "BitsStored")),
        is_signed=_whole_number(dataset, path, "PixelRepresentation") == 1,
    )
    # Without an intercept a CT holds whatever its scanner stores.
    is_hounsfield = dataset.get("Modality") == "CT" and number_of(dataset, path, "RescaleIntercept") is not None
    return without_padding(pixels, is_padding, is_hounsfield)


def _check_greys(interpretation: str, path: str) -> None:
    if interpretation == "MONOCHROME2":
        return
    if interpretation == "MONOCHROME1":
        # It says how values are shown, not whether they were turned over before; readers differ, and a guess would swap tissues.
        advice = "find out whether its values are inverted, and export it as MONOCHROME2"
        raise InputError(path, "MONOCHROME2, small values black", "MONOCHROME1, small values white", advice)
    raise InputError(path, "grey pixels of MONOCHROME2", "another photometric interpretation", "export it in greys")


def _stored_pixels(dataset: pydicom.Dataset, path: str, rows: int, columns: int) -> np.ndarray:
    syntax = dataset.file_meta.TransferSyntaxUID
    if "PixelData" not in dataset or not dataset.PixelData:
        raise InputError(path, "pixel data", "none", "copy the file again")
    bits_allocated = _whole_number(dataset, path, "BitsAllocated")
    for keyword in ("BitsStored", "PixelRepresentation"):
        _whole_number(dataset, path, keyword)
    if syntax.is_transfer_syntax and not syntax.is_compressed:
        # The library would read surplus bytes as further frames.
        expected = rows * columns * bits_allocated // 8
        if len(dataset.PixelData) not in (expected, expected + expected % 2):
            raise InputError(
                path,
                f"{expected} bytes of pixels for {rows} × {columns}",
                f"{len(dataset.PixelData)}",
                "copy the file again",
            )
        plugin = ""
    else:
        plugin = _plugin(syntax, path)
    try:
        pixels = pixel_array(dataset, index=0, decoding_plugin=plugin, view_only=True, **_GREY)
    except MemoryError:
        raise
    # Decoders raise errors of many kinds.
    except Exception as error:
        found = f"that decoding {syntax.name} failed"
        raise InputError(path, f"pixels of {rows} × {columns}", found, "copy the file again") from error
    if pixels.shape != (rows, columns):
        raise InputError(path, f"pixels of {rows} × {columns}", f"shape {pixels.shape}", "copy the file again")
    return pixels


def _plugin(syntax: pydicom.uid.UID, path: str) -> str:
    """The decoder of a compressed transfer syntax."""
    plugin = dicom_codecs.PLUGIN_OF_SYNTAX.get(syntax)
    # What is no known name is not quoted: it may be anything.
    name = syntax.name if syntax.is_transfer_syntax else "an unknown transfer syntax"
    if plugin is None:
        raise InputError(path, "pixels that can be decoded", name, "decompress them, for example with gdcmconv --raw")
    if plugin not in get_decoder(syntax).available_plugins:
        found = f"{name} and no {plugin}"
        raise InputError(path, "pixels that can be decoded", found, "install the requirements of attent-tf again")
    return plugin


def _whole_number(dataset: pydicom.Dataset, path: str, keyword: str) -> int:
    return int(numbers_of(dataset, path, keyword, 1)[0])
