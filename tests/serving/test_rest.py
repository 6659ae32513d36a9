"""The REST client against a server that behaves as each test says."""

import http.server
import json
import socket
import threading

import numpy as np
import pytest

from attent_tf.deployment.signature import Signature, TensorSpec, expected_signatures
from attent_tf.errors import ServerError
from attent_tf.serving import RemoteChain, connect
from attent_tf.volumes import PrepareOptions

_SIGNATURES = expected_signatures(4, 1, 5)


class _Script(http.server.BaseHTTPRequestHandler):
    """Gives the answers of a list, one after the other; the last one again and again."""

    protocol_version = "HTTP/1.1"
    answers: list
    requests: list

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.requests.append((self.command, self.path, json.loads(body) if body else None))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            # Breaks off in the middle of an answer.
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        status, content = answer
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve():
    """Returns a function that starts a server with these answers; it returns the address and the list of requests."""
    servers = []

    def start(*answers):
        handler = type("Handler", (_Script,), {"answers": list(answers), "requests": []})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", handler.requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _metadata(signatures):
    def tensors(specs):
        return {
            name: {
                "name": f"{name}:0",
                "dtype": spec.dtype,
                "tensor_shape": {"dim": [{"size": str(n), "name": ""} for n in spec.shape], "unknown_rank": False},
            }
            for name, spec in specs.items()
        }

    definitions = {
        name: {"inputs": tensors(signature.inputs), "outputs": tensors(signature.outputs), "method_name": "predict"}
        for name, signature in signatures.items()
    }
    return 200, {"model_spec": {"name": "attent"}, "metadata": {"signature_def": {"signature_def": definitions}}}


_BUSY = 503, {"error": "The batch scheduling queue to which this task was submitted is full"}
_ENTROPY = _SIGNATURES["entropy"]
_ANSWER = 200, {"outputs": np.full((1, 4, 4, 1), 0.25).tolist()}


def _predict(address, **settings):
    server = connect(address, backoff_s=0.001, **settings)
    return server.predict("entropy", _ENTROPY, {"image": np.zeros((1, 4, 4, 1), np.float32)})


def test_signatures_are_read_from_the_metadata(serve):
    address, requests = serve(_metadata(_SIGNATURES))
    assert connect(address, "liver model", version=3).signatures() == _SIGNATURES
    assert requests == [("GET", "/v1/models/liver%20model/versions/3/metadata", None)]


def test_a_request_is_in_the_columnar_format(serve):
    address, requests = serve(_ANSWER)
    found = _predict(address)
    assert found["entropy"].dtype == np.float32
    np.testing.assert_array_equal(found["entropy"], np.full((1, 4, 4, 1), 0.25))
    body = {"signature_name": "entropy", "inputs": {"image": np.zeros((1, 4, 4, 1)).tolist()}}
    assert requests == [("POST", "/v1/models/attent:predict", body)]


def test_float32_survives_the_way_as_text(serve):
    values = np.random.default_rng(0).uniform(-1, 1, (1, 4, 4, 1)).astype(np.float32)
    address, requests = serve((200, {"outputs": values.tolist()}))
    found = connect(address).predict("entropy", _ENTROPY, {"image": values})
    np.testing.assert_array_equal(found["entropy"], values)
    np.testing.assert_array_equal(np.array(requests[0][2]["inputs"]["image"], np.float32), values)


@pytest.mark.parametrize("failure", [_BUSY, (429, {"error": "quota"}), (502, b"Bad Gateway"), None])
def test_a_server_that_fails_for_a_moment_is_asked_again(failure, serve):
    failures = 1 if failure is None else 3
    address, requests = serve(*[failure] * failures, _ANSWER)
    assert _predict(address)["entropy"].shape == (1, 4, 4, 1)
    assert len(requests) == failures + 1
    assert requests[0] == requests[-1]


def test_a_server_that_goes_on_failing_is_given_up_with_its_words(serve):
    address, requests = serve(_BUSY)
    with pytest.raises(ServerError, match="queue to which this task was submitted is full"):
        _predict(address, attempts=3)
    assert len(requests) == 3


def test_a_refusal_is_not_repeated_and_says_what_was_expected(serve):
    address, requests = serve((400, {"error": "Shape of tensor\n[1,2] is not\tcompatible [[{{node EnsureShape}}]]"}))
    with pytest.raises(ServerError) as caught:
        _predict(address)
    assert len(requests) == 1
    line = str(caught.value)
    assert line.startswith(f"{address}/v1/models/attent: the server says “Shape of tensor [1,2] is not compatible”; ")
    assert line.endswith("expected for 'entropy' image [batch, 4, 4, 1] float32 in [-1, 1]")


def test_long_words_of_a_server_are_cut(serve):
    address, _ = serve((400, {"error": "JSON Value: " + "1.0, " * 10_000}))
    with pytest.raises(ServerError) as caught:
        _predict(address)
    assert len(str(caught.value)) < 500


def test_a_missing_model_is_named(serve):
    address, requests = serve((404, {"error": "Servable not found for request: Latest(liver)"}))
    with pytest.raises(ServerError, match=r"models/liver: .*Latest\(liver\)”; check the names of model and version"):
        connect(address, "liver").signatures()
    assert len(requests) == 1


@pytest.mark.parametrize(
    "answer",
    [(200, b"<html>It works!</html>"), (200, b"[1, 2]"), (200, {"hello": 1}), (200, {"metadata": 3}), (404, b"nginx")],
)
def test_something_else_than_tensorflow_serving_is_told(answer, serve):
    address, _ = serve(answer)
    with pytest.raises(ServerError, match="is this the REST port of TensorFlow Serving") as caught:
        connect(address).signatures()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [{}, {"outputs": None}, {"outputs": [[1], [2, 3]]}, {"outputs": [1.0]}, {"outputs": "text"}]
)
def test_answers_of_another_form_are_told(content, serve):
    address, _ = serve((200, content))
    with pytest.raises(ServerError, match=r"expected entropy \[batch, 4, 4, 1\] float32"):
        _predict(address)


def test_an_unreachable_server_is_one_line_without_the_password():
    # Nobody else gets the port while it is held, and nobody listens at it.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(ServerError) as caught:
            connect(f"http://doctor:secret@127.0.0.1:{port}", backoff_s=0.001).signatures()
    line = str(caught.value)
    assert line.startswith(f"http://127.0.0.1:{port}/v1/models/attent: expected a TensorFlow Serving that answers")
    assert "Connection refused" in line
    assert "secret" not in line
    assert "\n" not in line


def test_a_silent_server_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServerError, match=r"answers within 0.05 s, found none in up to 2 attempts \(.*time"):
            _predict(address, timeout_s=0.05, attempts=2)


@pytest.mark.parametrize("address", ["localhost:8501", "http://", "ftp://host:1", "", "http://[::1", "http://host:x"])
def test_addresses_of_another_form_are_refused(address):
    with pytest.raises(ServerError, match=r"expected an address such as http://localhost:8501"):
        connect(address)


def _without(name):
    return {key: value for key, value in _SIGNATURES.items() if key != name}


@pytest.mark.parametrize(
    ("signatures", "message"),
    [
        (_without("serving_default"), "expected the signature 'serving_default', found entropy, raw, translate"),
        (_without("translate"), "expected the signature 'translate'"),
        ({}, "found none"),
        (expected_signatures(8, 1, 5), r"expected image \[batch, 4, 4, 1\] .* found image \[batch, 8, 8, 1\] float32"),
        (expected_signatures(4, 1, 3), r"expected probabilities \[batch, 4, 4, 5\]"),
        (
            {**_SIGNATURES, "translate": Signature({"x": TensorSpec("DT_UINT8", (-1,))}, {})},
            r"found x \[batch\] DT_UINT8",
        ),
    ],
)
def test_a_model_without_the_signature_is_refused_before_anything_is_sent(signatures, message, serve):
    address, requests = serve(_metadata(signatures))
    with pytest.raises(ServerError, match=message):
        RemoteChain(connect(address), PrepareOptions(size=4), 5, translate=True)
    assert [request[0] for request in requests] == ["GET"]


def test_a_chain_sends_its_slices_in_parts(serve):
    def answer(count):
        probabilities = np.tile(np.float32([0.5, 0.25, 0.25, 0, 0]), (count, 4, 4, 1))
        labels = np.zeros((count, 4, 4), int)
        return 200, {"outputs": {"probabilities": probabilities.tolist(), "labels": labels.tolist()}}

    address, requests = serve(_metadata(_SIGNATURES), answer(2), answer(2), answer(1))
    chain = RemoteChain(connect(address), PrepareOptions(size=4), 5, slices_per_request=2)
    output = chain(np.arange(5, dtype=np.float32)[:, None, None, None] / 8 * np.ones((1, 4, 4, 1), np.float32))
    sent = [np.array(request[2]["inputs"]["image"])[:, 0, 0, 0].tolist() for request in requests[1:]]
    assert sent == [[0, 1 / 8], [2 / 8, 3 / 8], [4 / 8]]
    assert output.translated is None
    assert output.probabilities.shape == (5, 4, 4, 5)
    # 1.5 bits of log2(5).
    np.testing.assert_allclose(output.entropy, np.full((5, 4, 4, 1), 1.5 / np.log2(5)), rtol=1e-6)
    assert output.labels.dtype == np.uint8
