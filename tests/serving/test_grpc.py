"""The gRPC client against a server that reads the wire by the book and runs the exported model."""

import concurrent.futures

import numpy as np
import pytest

from attent_tf.deployment.signature import expected_signatures
from attent_tf.errors import ServerError
from attent_tf.serving import RemoteChain, connect
from tests.support import wire
from tests.support.same_answers import assert_same_answers

grpc = pytest.importorskip("grpc")
pytestmark = pytest.mark.slow

_SIGNATURES = expected_signatures(256, 1, 5)


def _length(content: bytes) -> bytes:
    size, parts = len(content), bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        parts.append(low | (0x80 if size else 0))
        if not size:
            return bytes(parts)


def _bytes_field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _length(content) + content


class _Service(grpc.GenericRpcHandler):
    def __init__(self, saved, failures):
        import tensorflow as tf
        from tensorflow.core.framework import tensor_pb2
        from tensorflow.core.protobuf import saved_model_pb2

        self._tf, self._tensor = tf, tensor_pb2.TensorProto
        self._model = tf.saved_model.load(str(saved))
        content = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes())
        self._definitions = content.meta_graphs[0].signature_def
        self._failures = failures

    def service(self, details):
        method = details.method.removeprefix("/tensorflow.serving.PredictionService/")
        handler = {"Predict": self._predict, "GetModelMetadata": self._metadata}[method]
        return grpc.unary_unary_rpc_method_handler(handler)

    def _find(self, request, context):
        spec = wire.only(request, 1)
        name = wire.only(spec, 1).decode()
        if name != "attent":
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({name})")
        return dict(wire.fields(spec))

    def _metadata(self, request, context):
        self._find(request, context)
        assert wire.only(request, 2) == b"signature_def"
        signatures = b"".join(
            _bytes_field(1, _bytes_field(1, name.encode()) + _bytes_field(2, definition.SerializeToString()))
            for name, definition in self._definitions.items()
        )
        packed = _bytes_field(1, b"type.googleapis.com/tensorflow.serving.SignatureDefMap") + _bytes_field(
            2, signatures
        )
        return _bytes_field(2, _bytes_field(1, b"signature_def") + _bytes_field(2, packed))

    def _predict(self, request, context):
        spec = self._find(request, context)
        if self._failures:
            self._failures.pop()
            context.abort(grpc.StatusCode.UNAVAILABLE, "The batch scheduling queue is full")
        inputs = {
            wire.only(entry, 1).decode(): self._tf.make_ndarray(self._tensor.FromString(wire.only(entry, 2)))
            for number, entry in wire.fields(request)
            if number == 2
        }
        try:
            outputs = self._model.signatures[spec[3].decode()](
                **{name: self._tf.constant(value) for name, value in inputs.items()}
            )
        except self._tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        return b"".join(
            _bytes_field(
                1,
                _bytes_field(1, name.encode()) + _bytes_field(2, self._tf.make_tensor_proto(value).SerializeToString()),
            )
            for name, value in outputs.items()
        )


@pytest.fixture(scope="module")
def failures():
    return []


@pytest.fixture(scope="module")
def target(model, failures):
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), options=options)
    server.add_generic_rpc_handlers([_Service(model / "1", failures)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None).wait()


def test_grpc_and_rest_say_the_same(target, address, run):
    images = np.random.default_rng(3).uniform(-1, 1, (2, 256, 256, 1)).astype(np.float32)
    assert connect(target).signatures() == connect(address).signatures() == _SIGNATURES
    over_grpc, over_rest = (
        RemoteChain(connect(way), run.prepare_options, 5, translate=True)(images) for way in (target, address)
    )
    assert_same_answers(over_grpc, over_rest, names=("translated", "probabilities", "entropy"))


def test_a_busy_server_is_asked_again(target, failures):
    failures += [1, 1]
    image = np.zeros((1, 256, 256, 1), np.float32)
    answer = connect(target, backoff_s=0.01).predict("entropy", _SIGNATURES["entropy"], {"image": image})
    assert answer["entropy"].shape == (1, 256, 256, 1)
    assert failures == []


def test_refusals_are_one_line_with_what_was_expected(target):
    with pytest.raises(ServerError, match=r"expected values in \[-1, 1\].*expected for 'entropy' image") as caught:
        connect(target).predict("entropy", _SIGNATURES["entropy"], {"image": np.full((1, 256, 256, 1), 40)})
    assert "\n" not in str(caught.value)
    with pytest.raises(ServerError, match=r"Latest\(liver\)”; check the names of model and version"):
        connect(target, "liver").signatures()
    with pytest.raises(ServerError, match="expected a TensorFlow Serving that answers within"):
        connect("grpc://127.0.0.1:1", attempts=1).signatures()
