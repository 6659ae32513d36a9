"""The wire format of protocol buffers and of TFRecord files, read by the book and without any library for it."""

import struct


def fields(content: bytes) -> list[tuple[int, object]]:
    """Returns (field number, value): integers for varints, bytes for what has a length."""
    found, at = [], 0
    while at < len(content):
        tag, at = _varint(content, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(content, at)
        elif kind == 2:
            size, at = _varint(content, at)
            value, at = content[at : at + size], at + size
            assert len(value) == size
        elif kind == 5:
            value, at = struct.unpack("<f", content[at : at + 4])[0], at + 4
        else:
            raise AssertionError(f"wire type {kind}")
        found.append((number, value))
    return found


def only(content: bytes, number: int):
    """Returns the one value of a field."""
    (value,) = [value for found, value in fields(content) if found == number]
    return value


def records(content: bytes) -> list[bytes]:
    """Returns the records of a TFRecord file; their checksums are not looked at."""
    found, at = [], 0
    while at < len(content):
        (size,) = struct.unpack("<Q", content[at : at + 8])
        found.append(content[at + 12 : at + 12 + size])
        at += 12 + size + 4
    assert at == len(content)
    return found


def _varint(content, at):
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
