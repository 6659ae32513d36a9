"""Which decoder reads which compressed transfer syntax, and a plug-in of pydicom for those that it has no safe one for.

A syntax is always read by the same decoder, whatever others are installed: some that pydicom would try first end the whole
process on a damaged frame. JPEG Lossless, 12-bit JPEG and HTJ2K are decoded by imagecodecs, that is by libjpeg-turbo and
OpenJPEG.
"""

import importlib.util
import struct

import numpy as np
from pydicom import uid
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import DecodeRunner

_PLUGIN = "attent"

_JPEG = (uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1)
_HTJ2K = (uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K)

_END_OF_JPEG = b"\xff\xd9"

# Start of a codestream, and the marker of its size, which comes next (ISO 15444-1, A.5.1).
_START_OF_JPEG_2000 = b"\xff\x4f\xff\x51"

PLUGIN_OF_SYNTAX = {
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEG2000Lossless: "pillow",
    uid.JPEG2000: "pillow",
    uid.JPEGLSLossless: "pyjpegls",
    uid.JPEGLSNearLossless: "pyjpegls",
    uid.RLELossless: "pydicom",
    **dict.fromkeys((*_JPEG, *_HTJ2K), _PLUGIN),
}
"""The decoder of each compressed transfer syntax that can be read, by its name in pydicom."""

# Looked at by pydicom where the plug-in is not available.
DECODER_DEPENDENCIES = dict.fromkeys((*_JPEG, *_HTJ2K), ("imagecodecs",))


def is_available(_: str) -> bool:
    """Whether the plug-in can be used; the name is pydicom's."""
    return importlib.util.find_spec("imagecodecs") is not None


def register() -> None:
    """Makes the plug-in known to pydicom; more than once does no harm."""
    for syntax in (*_JPEG, *_HTJ2K):
        decoder = get_decoder(syntax)
        if _PLUGIN not in decoder.available_plugins:
            decoder.add_plugin(_PLUGIN, (__name__, "decode_frame"))


def decode_frame(frame: bytes, runner: DecodeRunner) -> bytes:
    """Decodes a frame, as pydicom calls it.

    Args:
      frame: a codestream.
      runner: what the data set and the codestream say about the pixels.

    Returns:
      Little-endian samples in as many bits as the runner then has allocated.

    Raises:
      Exception: the frame is damaged, or not of the size that the data set says.
    """
    # Loads its libraries, which only compressed slices need.
    import imagecodecs

    shape = (runner.rows, runner.columns)
    if runner.transfer_syntax in _HTJ2K:
        # Before it is decoded: a damaged size asks for all the memory there is.
        if _jpeg_2000_size(frame) != (*shape, 1):
            raise ValueError("the frame is of another size")
        precision = runner.get_option("j2k_precision", runner.bits_stored)
        sign = "i" if runner.get_option("j2k_is_signed", runner.pixel_representation) else "u"
        runner.set_option("bits_allocated", 8 if precision <= 8 else 16)
        pixels = np.empty(shape, f"{sign}{runner.bits_allocated // 8}")
        return imagecodecs.jpeg2k_decode(frame, out=pixels).tobytes()
    # The library fills up what a frame that was cut off lacks.
    if not frame.rstrip(b"\0").endswith(_END_OF_JPEG):
        raise ValueError("the frame has no end")
    # An array of its size keeps a damaged header from asking for more memory than that.
    pixels = np.empty(shape, np.uint8 if runner.bits_stored <= 8 else np.uint16)
    return imagecodecs.jpeg8_decode(frame, out=pixels).astype(f"<u{runner.bits_allocated // 8}").tobytes()


def _jpeg_2000_size(frame: bytes) -> tuple[int, int, int]:
    """Rows, columns and components of a JPEG 2000 codestream."""
    start = frame.index(_START_OF_JPEG_2000)
    right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
    (components,) = struct.unpack_from(">H", frame, start + 40)
    return bottom - top, right - left, components
