"""The few protocol buffer messages that TensorFlow Serving is spoken to with, without TensorFlow and without its API package.

`tensorflow-serving-api` brings the whole of TensorFlow. Of its messages an exported model and a client need a handful of
fields, which the table below names with the numbers that they have in TensorFlow's `tensor.proto`, `tensor_shape.proto` and
`meta_graph.proto`, and in Serving's `model.proto`, `predict.proto`, `get_model_metadata.proto` and `prediction_log.proto`.
What else a server sends is kept as unknown fields. A map is written as its entries, which is the same on the wire.
"""

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from attent_tf.errors import ServerError

_PACKAGE = "attent_tf.serving"

# message -> (field, number, type, whether it is repeated); a type that is no scalar is a message of this table.
_TABLE = {
    "Dim": [("size", 1, "int64", False)],
    "TensorShape": [("dim", 2, "Dim", True), ("unknown_rank", 3, "bool", False)],
    "Tensor": [
        ("dtype", 1, "int32", False),
        ("tensor_shape", 2, "TensorShape", False),
        ("tensor_content", 4, "bytes", False),
        ("float_val", 5, "float", True),
        ("int64_val", 10, "int64", True),
    ],
    "NamedTensor": [("key", 1, "string", False), ("value", 2, "Tensor", False)],
    "Version": [("value", 1, "int64", False)],
    "ModelSpec": [
        ("name", 1, "string", False),
        ("version", 2, "Version", False),
        ("signature_name", 3, "string", False),
    ],
    "PredictRequest": [
        ("model_spec", 1, "ModelSpec", False),
        ("inputs", 2, "NamedTensor", True),
        ("output_filter", 3, "string", True),
    ],
    "PredictResponse": [("outputs", 1, "NamedTensor", True)],
    "PredictLog": [("request", 1, "PredictRequest", False)],
    "PredictionLog": [("predict_log", 6, "PredictLog", False)],
    "TensorInfo": [("dtype", 2, "int32", False), ("tensor_shape", 3, "TensorShape", False)],
    "NamedTensorInfo": [("key", 1, "string", False), ("value", 2, "TensorInfo", False)],
    "SignatureDef": [("inputs", 1, "NamedTensorInfo", True), ("outputs", 2, "NamedTensorInfo", True)],
    "NamedSignatureDef": [("key", 1, "string", False), ("value", 2, "SignatureDef", False)],
    "SignatureDefMap": [("signature_def", 1, "NamedSignatureDef", True)],
    "Any": [("type_url", 1, "string", False), ("value", 2, "bytes", False)],
    "NamedAny": [("key", 1, "string", False), ("value", 2, "Any", False)],
    "GetModelMetadataRequest": [("model_spec", 1, "ModelSpec", False), ("metadata_field", 2, "string", True)],
    "GetModelMetadataResponse": [("metadata", 2, "NamedAny", True)],
}

# TensorFlow's numbers of the types that cross the interface.
_FLOAT, _INT64 = 1, 9
DTYPE_NAMES = {_FLOAT: "DT_FLOAT", _INT64: "DT_INT64"}
_NUMPY = {_FLOAT: np.dtype("<f4"), _INT64: np.dtype("<i8")}


def _make_classes() -> dict[str, type[Message]]:
    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="attent_tf/serving.proto", package=_PACKAGE, syntax="proto3")
    for message, fields in _TABLE.items():
        entry = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            label = field_type.LABEL_REPEATED if repeated else field_type.LABEL_OPTIONAL
            field = entry.field.add(name=name, number=number, label=label)
            if kind in _TABLE:
                field.type, field.type_name = field_type.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = getattr(field_type, f"TYPE_{kind.upper()}")
    # A pool of its own: TensorFlow's messages may be loaded beside these.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _TABLE}


_CLASSES = _make_classes()


def make_message(name: str, /, **fields) -> Message:
    """Makes a message of the table above by its name."""
    return _CLASSES[name](**fields)


def parse_message(name: str, content: bytes) -> Message:
    """Reads a message of the table above."""
    return _CLASSES[name].FromString(content)


def make_predict_request(model: str, version: int | None, signature: str, inputs: dict[str, Message]) -> Message:
    """Makes a `PredictRequest`.

    Args:
      model: name under which the server knows the model.
      version: None for the newest.
      signature: name of the signature.
      inputs: by name, from `make_tensor` or `make_constant`.
    """
    spec = make_message("ModelSpec", name=model, signature_name=signature)
    if version is not None:
        spec.version.value = version
    named = [make_message("NamedTensor", key=name, value=tensor) for name, tensor in inputs.items()]
    return make_message("PredictRequest", model_spec=spec, inputs=named)


def make_tensor(values: np.ndarray) -> Message:
    """Makes a float32 tensor of an array."""
    array = np.ascontiguousarray(values, _NUMPY[_FLOAT])
    return make_message(
        "Tensor", dtype=_FLOAT, tensor_shape=_make_shape(np.shape(values)), tensor_content=array.tobytes()
    )


def make_constant(value: float, shape: tuple[int, ...]) -> Message:
    """Makes a float32 tensor of one value throughout, in a few bytes: readers repeat the last value that is there."""
    return make_message("Tensor", dtype=_FLOAT, tensor_shape=_make_shape(shape), float_val=[value])


def read_tensor(tensor: Message) -> np.ndarray:
    """Reads a float32 or int64 tensor, in whichever of its two forms the server sent it.

    Raises:
      ServerError: it is of another type, or its size is not that of its shape.
    """
    if tensor.dtype not in _NUMPY:
        raise ServerError(f"the server's answer: expected float32 or int64, found TensorFlow's type {tensor.dtype}")
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_content:
        values = np.frombuffer(tensor.tensor_content, _NUMPY[tensor.dtype])
    else:
        values = np.array(tensor.float_val if tensor.dtype == _FLOAT else tensor.int64_val, _NUMPY[tensor.dtype])
    if values.size == 1:
        return np.broadcast_to(values.reshape(()), shape)
    if values.size != np.prod(shape, dtype=np.int64):
        raise ServerError(f"the server's answer: expected {shape} values, found {values.size}")
    return values.reshape(shape)


def _make_shape(shape: tuple[int, ...]) -> Message:
    return make_message("TensorShape", dim=[make_message("Dim", size=int(size)) for size in shape])
