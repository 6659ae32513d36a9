"""What is DICOM, by its first bytes: a file with preamble and meta information, or a bare data set as old scanners and
some planning systems write it (PS3.10 asks for both, and every toolkit reads files without).
"""

import io
import os
import struct

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16

from attent_tf.storage import is_remote, open_binary

# So many bytes tell. Of a bare data set they hold the first element and the head of the second.
FIRST_BYTES = 1024

_MAGIC, _MAGIC_AT = b"DICM", 128

# Groups with which a bare data set begins: the meta information without its preamble, or what identifies an object.
_META_GROUP, _IDENTIFYING_GROUP = 0x0002, 0x0008


def looks_like_dicom(first_bytes: bytes) -> bool:
    """Whether content is DICOM.

    Args:
      first_bytes: the first `FIRST_BYTES` of a file, or all of a shorter one.
    """
    return first_bytes[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC or _looks_like_bare_dicom(first_bytes)


def is_dicom_file(path: str | os.PathLike) -> bool:
    """Whether a file is DICOM by its first bytes; a file that cannot be opened is not."""
    try:
        with open_binary(path) as file:
            return looks_like_dicom(file.read(FIRST_BYTES))
    except OSError:
        return False


def read_dicom(path: str | os.PathLike, stop_before_pixels: bool = False) -> pydicom.Dataset:
    """Reads the elements of a file; each is parsed when it is looked at.

    Args:
      path: a DICOM file, with or without preamble and meta information, local or on a file system of Beam.
      stop_before_pixels: whether to leave the pixels out.

    Returns:
      The data set. Its `file_meta` always says the transfer syntax: where the file does not, the encoding that was found.

    Raises:
      InvalidDicomError: the content is not DICOM.
      OSError: the file cannot be read. A damaged one may raise errors of other kinds, here and when elements are parsed.
    """
    with open_binary(path) as file:
        if not looks_like_dicom(file.read(FIRST_BYTES)):
            raise InvalidDicomError
        file.seek(0)
        # The library asks a buffered file for its name, which those of object stores do not have.
        file = io.BytesIO(file.read()) if is_remote(path) else file
        # Without `force` the library refuses what has no preamble; what this lets in beside that was looked at above.
        dataset = pydicom.dcmread(file, stop_before_pixels=stop_before_pixels, force=True)
    # By now a bare data set is sure to be no chance hit of a few bytes.
    if dataset.preamble is None and "SOPClassUID" not in dataset and "Modality" not in dataset:
        raise InvalidDicomError
    if "TransferSyntaxUID" not in dataset.file_meta:
        is_implicit, is_little_endian = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if is_little_endian else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit
    return dataset


def _looks_like_bare_dicom(first_bytes: bytes) -> bool:
    """Whether two elements in their order stand at the beginning, in little endian."""
    if len(first_bytes) < 8:
        return False
    group, element, vr, length = struct.unpack_from("<HH2sH", first_bytes)
    is_explicit = vr.decode("latin-1") in EXPLICIT_VR_LENGTH_16
    if not is_explicit:
        (length,) = struct.unpack_from("<I", first_bytes, 4)
    # Meta information is always explicit.
    if group != _IDENTIFYING_GROUP and not (group == _META_GROUP and is_explicit):
        return False
    second = 8 + length
    if length % 2 or second + 4 > len(first_bytes):
        return False
    return (group, element) < struct.unpack_from("<HH", first_bytes, second) <= (0x7FE0, 0x0010)
