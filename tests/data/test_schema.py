"""Slices survive the way through a record bit by bit; what contradicts the schema is named."""

import dataclasses
import json

import hypothesis
import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest

from attent_tf.data.schema import SliceRecord, decode, encode
from attent_tf.errors import RecordsError
from attent_tf.tfrecord import example
from attent_tf.volumes import CaseGeometry
from tests.support.abdomen import ABDOMEN

labels = st.none() | hnp.arrays(np.uint8, (4, 4), elements=st.integers(0, 4))
numbers = st.floats(-1e6, 1e6)


@st.composite
def records(draw):
    count, neighbours = draw(st.integers(1, 300)), draw(st.integers(0, 2))
    shape = (4, 4, 2 * neighbours + 1) if neighbours else (4, 4)
    geometry = {
        "stored_shape": draw(st.lists(st.integers(1, 600), min_size=3, max_size=3)),
        "stored_affine": [draw(st.lists(numbers, min_size=4, max_size=4)) for _ in range(3)] + [[0.0, 0.0, 0.0, 1.0]],
        "grid": {"size": 4, "slices": count}
        | {f"{a}_{b}": draw(numbers) for a in ("row", "column", "slice") for b in ("origin", "scale")},
        "geometry": draw(st.sampled_from(["physical", "resize"])),
        "record_spacing_mm": draw(st.lists(st.floats(0.1, 10), min_size=3, max_size=3)),
        "neighbours": neighbours,
        "intensity": {"rule": "percentile:0:99", "low": draw(numbers), "high": draw(numbers)},
    }
    return SliceRecord(
        image=draw(hnp.arrays(np.float32, shape, elements=st.floats(-1, 1, width=32))),
        label=draw(labels),
        case=draw(st.text(min_size=1, max_size=12)),
        domain=draw(st.sampled_from(["mri", "ct"])),
        split=draw(st.sampled_from(["train", "test", "all"])),
        slice_index=draw(st.integers(0, count - 1)),
        slice_count=count,
        geometry=CaseGeometry.from_json(geometry),
    )


@hypothesis.settings(max_examples=40)
@hypothesis.given(records())
def test_round_trip_keeps_every_bit(record):
    again = decode(encode(record, ABDOMEN), ABDOMEN)
    assert again.image.tobytes() == record.image.tobytes()
    assert (again.label is None) == (record.label is None)
    if record.label is not None:
        np.testing.assert_array_equal(again.label, record.label)
    for field in ("case", "domain", "split", "slice_index", "slice_count"):
        assert getattr(again, field) == getattr(record, field)
    assert again.geometry.to_json() == record.geometry.to_json()
    assert encode(again, ABDOMEN) == encode(record, ABDOMEN)


def test_neighbours_are_channels_of_the_image(make_record):
    record = make_record(neighbours=1)
    again = decode(encode(record, ABDOMEN), ABDOMEN)
    assert again.image.shape == again.channels.shape == (16, 16, 3)
    np.testing.assert_array_equal(again.image, record.image)
    assert make_record().channels.shape == (16, 16, 1)
    with pytest.raises(ValueError, match=r"\(16, 16, 3\), found float32 of \(16, 16\)"):
        encode(dataclasses.replace(record, image=record.image[..., 0]), ABDOMEN)


def test_columns_first_arrays_are_stored_by_rows(make_record):
    record = make_record()
    turned = dataclasses.replace(record, image=np.asfortranarray(record.image), label=np.asfortranarray(record.label))
    assert encode(turned, ABDOMEN) == encode(record, ABDOMEN)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"image": np.zeros((16, 16))}, "float64"),
        ({"image": np.zeros((16, 15), np.float32)}, r"\(16, 15\)"),
        ({"image": np.full((16, 16), 1.5, np.float32)}, "1.5"),
        ({"image": np.full((16, 16), np.nan, np.float32)}, "nan"),
        ({"label": np.zeros((16, 16), np.int64)}, "int64"),
        ({"label": np.full((16, 16), 5, np.uint8)}, "found 5"),
        ({"domain": "pet"}, "pet"),
        ({"split": "validation"}, "validation"),
        ({"slice_index": 9}, "below 9, found 9"),
        ({"slice_count": 8}, "9 slices by the geometry, found a count of 8"),
    ],
)
def test_slices_that_do_not_fit_are_refused(make_record, change, found):
    with pytest.raises(ValueError, match=found):
        encode(dataclasses.replace(make_record(), **change), ABDOMEN)


def _features(record) -> dict:
    return {name: values[0] for name, values in example.unpack(encode(record, ABDOMEN)).items()}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"schema": 1}, "expected schema 3, found 1"),
        ({"image": b"123"}, "found 3 and 256"),
        ({"label": b"1"}, "found 1024 and 1"),
        ({"split": b"validation"}, "validation"),
        ({"case": b"\xff"}, "cannot be read"),
        ({"geometry": b"{"}, "cannot be read"),
        ({"geometry": b"{}"}, "cannot be read"),
        ({"geometry": b"[1]"}, "cannot be read"),
        ({"slice_index": b"3"}, "slice_index"),
    ],
)
def test_records_that_do_not_fit_are_named(make_record, change, found):
    payload = example.pack(_features(make_record()) | change)
    with pytest.raises(RecordsError, match=found) as refused:
        decode(payload, ABDOMEN, "slices-3: record 5")
    assert str(refused.value).startswith("slices-3: record 5: ")


def test_missing_features_are_named(make_record):
    features = _features(make_record())
    for name in features:
        with pytest.raises(RecordsError, match=name):
            decode(example.pack({key: value for key, value in features.items() if key != name}), ABDOMEN)


def test_bytes_that_are_no_example_are_named():
    with pytest.raises(RecordsError, match=r"record 5: .*not a tf\.train\.Example"):
        decode(b"\xff\xff\xff", ABDOMEN, "record 5")


def test_geometry_is_json_that_others_can_read(make_record):
    features = _features(make_record())
    geometry = json.loads(features["geometry"])
    assert geometry["stored_affine"][0][3] == 0.1 + 0.2
    assert geometry["grid"]["column_scale"] == 1.5
