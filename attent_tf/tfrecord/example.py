"""`tf.train.Example` messages without TensorFlow.

The messages are described in a descriptor pool of their own, so that they can stand beside TensorFlow's in one process.
Their bytes are those that `tf.io.parse_single_example` reads. Described here, because nothing but TensorFlow ships them.
"""

import functools
from collections.abc import Mapping

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "attent_tf.records"


def pack(features: Mapping[str, bytes | int]) -> bytes:
    """Serialises one example; equal features give equal bytes.

    Args:
      features: name to one value: `bytes` become a BytesList, `int` an Int64List of one element.

    Returns:
      A serialised `Example`.

    Raises:
      TypeError: a value is neither `bytes` nor `int`.
    """
    example = _example_class()()
    for name, value in features.items():
        feature = example.features.feature[name]
        if isinstance(value, bytes):
            feature.bytes_list.value.append(value)
        elif isinstance(value, int):
            feature.int64_list.value.append(value)
        else:
            raise TypeError(f"Feature `{name}` must be bytes or int. Found: {type(value).__name__}")
    return example.SerializeToString(deterministic=True)


def unpack(payload: bytes) -> dict[str, list[bytes] | list[int] | list[float]]:
    """Reads one serialised example.

    Args:
      payload: a serialised `Example`, whoever wrote it.

    Returns:
      name to the list of its values.

    Raises:
      ValueError: the bytes are not an `Example`.
    """
    example = _example_class()()
    try:
        example.ParseFromString(payload)
    except DecodeError as error:
        raise ValueError("the bytes are not a tf.train.Example") from error
    unpacked = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        unpacked[name] = list(getattr(feature, kind).value) if kind else []
    return unpacked


@functools.cache
def _example_class() -> type:
    """Describes Example, Features, Feature and the three lists as TensorFlow's example.proto and feature.proto do."""
    file = descriptor_pb2.FileDescriptorProto(name="attent_tf/records/example.proto", package=_PACKAGE, syntax="proto3")
    for name, kind in (
        ("BytesList", _FIELD.TYPE_BYTES),
        ("FloatList", _FIELD.TYPE_FLOAT),
        ("Int64List", _FIELD.TYPE_INT64),
    ):
        _add_field(file.message_type.add(name=name), "value", 1, kind, repeated=True)

    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, kind) in enumerate(
        (("bytes_list", "BytesList"), ("float_list", "FloatList"), ("int64_list", "Int64List")), start=1
    ):
        _add_field(feature, name, number, kind).oneof_index = 0

    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    _add_field(entry, "key", 1, _FIELD.TYPE_STRING)
    _add_field(entry, "value", 2, "Feature")
    _add_field(features, "feature", 1, "Features.FeatureEntry", repeated=True)

    _add_field(file.message_type.add(name="Example"), "features", 1, "Features")

    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Example"))


def _add_field(
    message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: int | str, repeated: bool = False
) -> descriptor_pb2.FieldDescriptorProto:
    """Adds a field of a scalar type, or of the message type that `kind` names."""
    field = message.field.add(
        name=name, number=number, label=_FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    )
    if isinstance(kind, str):
        field.type = _FIELD.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"
    else:
        field.type = kind
    return field
