"""The TFRecord file format: how records lie in a file, and what is checked when they are read.

Each record is its length (uint64), the masked CRC-32C of the length, the payload, and the masked CRC-32C of the
payload, all little endian. Files carry no count, so that a file cut between two records can only be told by whoever
knows how many there should be (the manifest). Framed here, because the package that does it, TensorFlow, takes each worker of
preprocessing seconds to import.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import google_crc32c

from attent_tf.counting import counted
from attent_tf.errors import RecordsError

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CHECKSUM.size
# A crafted length must not make a reader ask for all memory. A slice of 256×256 takes 0.33 MB.
_LARGEST_PAYLOAD_BYTES = 1 << 28


def masked_crc32c(content: bytes) -> int:
    """Returns the CRC-32C of `content`, rotated right by 15 bits, plus a constant: the form that TFRecord stores."""
    crc = google_crc32c.value(content)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def frame(payload: bytes) -> bytes:
    """Returns the bytes that one record takes in a TFRecord file."""
    length = _LENGTH.pack(len(payload))
    return b"".join((length, _CHECKSUM.pack(masked_crc32c(length)), payload, _CHECKSUM.pack(masked_crc32c(payload))))


def read_frames(file: BinaryIO, name: str, start: int = 0, count: int | None = None) -> Iterator[bytes]:
    """Yields payloads of a TFRecord file and checks every byte it passes on.

    Args:
      file: opened for reading in binary mode and seekable; any file-like object serves.
      name: what messages call the file.
      start: number of records to skip; of these only the lengths are checked.
      count: number of records to read, or None for all to the end of the file.

    Yields:
      The payload of each record.

    Raises:
      RecordsError: a record is cut off, its checksum is wrong, or the file ends before `start + count` records.
    """
    position = 0
    while count is None or position < start + count:
        header = file.read(_HEADER_BYTES)
        if not header:
            if position < start or count is not None:
                wanted = start if count is None else start + count
                raise RecordsError(f"{name}: expected {counted(wanted, 'record')}, found {position}; preprocess again")
            return
        if len(header) < _HEADER_BYTES:
            raise _damage(name, position, f"has {len(header)} of {_HEADER_BYTES} header bytes")
        length_bytes, stored = header[: _LENGTH.size], header[_LENGTH.size :]
        if _CHECKSUM.pack(masked_crc32c(length_bytes)) != stored:
            raise _damage(name, position, "has a length whose checksum does not match")
        (length,) = _LENGTH.unpack(length_bytes)
        if length > _LARGEST_PAYLOAD_BYTES:
            raise _damage(name, position, f"declares {length} bytes")
        if position < start:
            file.seek(length + _CHECKSUM.size, 1)
        else:
            body = file.read(length + _CHECKSUM.size)
            if len(body) < length + _CHECKSUM.size:
                raise _damage(name, position, f"ends after {len(body)} of {length + _CHECKSUM.size} bytes")
            payload = body[:length]
            if _CHECKSUM.pack(masked_crc32c(payload)) != body[length:]:
                raise _damage(name, position, "has content whose checksum does not match")
            yield payload
        position += 1


def _damage(name: str, position: int, found: str) -> RecordsError:
    return RecordsError(f"{name}: record {position} {found}; the file is damaged, preprocess again")
