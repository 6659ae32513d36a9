"""TFRecord framing: the published format, and every kind of damage."""

import io

import hypothesis
import hypothesis.strategies as st
import pytest

from attent_tf.errors import RecordsError
from attent_tf.tfrecord.framing import frame, masked_crc32c, read_frames

payloads = st.lists(st.binary(max_size=40), max_size=5)


def _file(*contents: bytes) -> bytes:
    return b"".join(map(frame, contents))


def test_checksum_of_the_standard_check_value():
    # CRC-32C of "123456789" is 0xE3069283 (RFC 3720); rotated right by 15 and shifted by TFRecord's constant.
    crc = 0xE3069283
    rotated = ((crc >> 15) | (crc << 17)) & 0xFFFFFFFF
    assert masked_crc32c(b"123456789") == (rotated + 0xA282EAD8) % 2**32


@hypothesis.given(payloads)
def test_what_is_framed_is_read_again(contents):
    assert list(read_frames(io.BytesIO(_file(*contents)), "x")) == contents


@hypothesis.given(payloads, st.data())
def test_start_and_count_choose_a_run(contents, data):
    start = data.draw(st.integers(0, len(contents)))
    count = data.draw(st.integers(0, len(contents) - start))
    assert list(read_frames(io.BytesIO(_file(*contents)), "x", start, count)) == contents[start : start + count]


@hypothesis.given(st.integers(0, len(_file(b"abcd", b"efgh")) - 1), st.integers(0, 7))
def test_every_flipped_bit_is_found(byte, bit):
    content = bytearray(_file(b"abcd", b"efgh"))
    content[byte] ^= 1 << bit
    with pytest.raises(RecordsError, match=r"shard-7: record [01]"):
        list(read_frames(io.BytesIO(bytes(content)), "shard-7"))


def test_every_cut_inside_a_record_is_found():
    content = _file(b"abcd", b"efgh")
    for length in range(1, len(content)):
        if length == len(content) // 2:
            continue
        with pytest.raises(RecordsError, match=rf"shard-7: record {2 * length // len(content)} "):
            list(read_frames(io.BytesIO(content[:length]), "shard-7"))


def test_a_cut_between_records_is_found_by_whoever_knows_the_count():
    cut = _file(b"abcd", b"efgh")[: len(frame(b"abcd"))]
    with pytest.raises(RecordsError, match="expected 2 records, found 1"):
        list(read_frames(io.BytesIO(cut), "shard-7", count=2))


def test_trailing_bytes_are_found():
    with pytest.raises(RecordsError, match="record 1 has 3 of 12 header bytes"):
        list(read_frames(io.BytesIO(_file(b"abcd") + b"\0\0\0"), "shard-7"))


def test_an_absurd_length_asks_for_no_memory():
    length = (1 << 40).to_bytes(8, "little")
    header = length + masked_crc32c(length).to_bytes(4, "little")
    with pytest.raises(RecordsError, match=r"declares 1099511627776 bytes"):
        list(read_frames(io.BytesIO(header + b"\0" * 100), "shard-7"))
