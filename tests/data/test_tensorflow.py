"""The same bytes in TensorFlow's hands: real `tf.train.Example` messages in real TFRecord files."""

import numpy as np
import pytest

from attent_tf.data.schema import decode, encode, geometry_text
from attent_tf.tfrecord import example
from attent_tf.tfrecord.framing import frame, read_frames
from tests.support.abdomen import ABDOMEN


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


def test_example_has_the_bytes_of_tensorflow(tf):
    features = {"a": b"\0\xff", "schema": 1, "negative": -(2**62), "empty": b"", "zero": 0}
    message = tf.train.Example()
    for name, value in features.items():
        if isinstance(value, bytes):
            message.features.feature[name].bytes_list.value.append(value)
        else:
            message.features.feature[name].int64_list.value.append(value)
    assert example.pack(features) == message.SerializeToString(deterministic=True)
    assert tf.train.Example.FromString(example.pack(features)) == message


def test_examples_of_tensorflow_are_read(tf):
    feature = {
        "floats": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, -2.0])),
        "ints": tf.train.Feature(int64_list=tf.train.Int64List(value=[-1, 2**40])),
        "bytes": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x", b""])),
        "nothing": tf.train.Feature(),
    }
    payload = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    assert example.unpack(payload) == {"floats": [0.5, -2.0], "ints": [-1, 2**40], "bytes": [b"x", b""], "nothing": []}


def test_parse_single_example_reads_a_slice(tf, make_record):
    record = make_record()
    kinds = dict.fromkeys(("image", "label", "case", "domain", "split", "geometry"), tf.string)
    kinds |= dict.fromkeys(("schema", "slice_index", "slice_count"), tf.int64)
    parsed = tf.io.parse_single_example(
        encode(record, ABDOMEN), {k: tf.io.FixedLenFeature([], v) for k, v in kinds.items()}
    )
    image = tf.io.decode_raw(parsed["image"], tf.float32, little_endian=True).numpy().reshape(record.image.shape)
    label = tf.io.decode_raw(parsed["label"], tf.uint8).numpy().reshape(record.label.shape)
    np.testing.assert_array_equal(image, record.image)
    np.testing.assert_array_equal(label, record.label)
    words = {name: parsed[name].numpy() for name in ("case", "domain", "split", "schema", "slice_index", "slice_count")}
    assert words == {
        "case": b"chaos-1",
        "domain": b"mri",
        "split": b"train",
        "schema": 3,
        "slice_index": 3,
        "slice_count": 9,
    }
    assert parsed["geometry"].numpy().decode() == geometry_text(record.geometry)


def test_dataset_reads_the_framing(tf, make_record, tmp_path):
    payloads = [encode(make_record(index=index), ABDOMEN) for index in range(4)]
    path = tmp_path / "slices.tfrecord"
    path.write_bytes(b"".join(map(frame, payloads)))
    assert [item.numpy() for item in tf.data.TFRecordDataset(str(path))] == payloads


def test_files_of_tensorflow_are_read(tf, make_record, tmp_path):
    path = tmp_path / "slices.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for index in range(3):
            writer.write(encode(make_record(index=index), ABDOMEN))
    with path.open("rb") as file:
        assert [decode(payload, ABDOMEN).slice_index for payload in read_frames(file, "slices")] == [0, 1, 2]
