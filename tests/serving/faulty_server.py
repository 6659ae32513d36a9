"""A server process for the chain of `banded.py`, over REST or gRPC, that fails when it is told to.

    python -m tests.serving.faulty_server SETTINGS

SETTINGS is JSON: `kind` (rest, grpc), `port`, and what else is wanted: `certificate`, `key` and `client_ca` (PEM files), `token`;
`busy`, `cut`, `slow`: of so many requests one is answered by 503, by half an answer, or after `slow_s` seconds. Prints
`ready`.
"""

import concurrent.futures
import http.server
import itertools
import json
import ssl
import sys
import threading
import time
from pathlib import Path

import grpc
import numpy as np

from attent_tf.deployment.signature import expected_signatures
from attent_tf.serving.messages import DTYPE_NAMES, make_message, make_tensor, parse_message, read_tensor
from tests.serving.banded import CLASSES, SIZE, banded

_SIGNATURES = expected_signatures(SIZE, 1, CLASSES)
_NUMBERS = {name: number for number, name in DTYPE_NAMES.items()}


class Faults:
    """Counts requests and says what is to go wrong with each."""

    def __init__(self, settings: dict):
        self._settings, self._count, self._lock = settings, itertools.count(1), threading.Lock()

    def next(self) -> str | None:
        with self._lock:
            number = next(self._count)
        for fault in ("busy", "cut", "slow"):
            if fault in self._settings and number % self._settings[fault] == 0:
                if fault == "slow":
                    time.sleep(self._settings["slow_s"])
                return fault
        return None


class RestHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: Faults
    token: str | None

    def do_GET(self):
        tensors = {
            name: {
                side: {
                    key: {"dtype": spec.dtype, "tensor_shape": {"dim": [{"size": str(n)} for n in spec.shape]}}
                    for key, spec in getattr(signature, side).items()
                }
                for side in ("inputs", "outputs")
            }
            for name, signature in _SIGNATURES.items()
        }
        self._answer(200, {"metadata": {"signature_def": {"signature_def": tensors}}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = self.faults.next()
        if fault == "busy":
            self._answer(503, {"error": "The batch scheduling queue is full"})
            return
        probabilities = banded(np.array(body["inputs"]["image"], np.float32))
        outputs = {"probabilities": probabilities.tolist(), "labels": probabilities.argmax(-1).tolist()}
        self._answer(200, {"outputs": outputs}, cut=fault == "cut")

    def _answer(self, status: int, content: dict, cut: bool = False) -> None:
        if self.token and self.headers["Authorization"] != f"Bearer {self.token}":
            status, content, cut = 401, {"error": "no such token"}, False
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text[: len(text) // 2] if cut else text)
        self.close_connection = cut

    def log_message(self, *arguments):
        """Says nothing."""


class GrpcService(grpc.GenericRpcHandler):
    def __init__(self, faults: Faults, token: str | None):
        self._faults, self._token = faults, token

    def service(self, details):
        method = details.method.rpartition("/")[2]
        handler = {"Predict": self._predict, "GetModelMetadata": self._metadata}[method]
        return grpc.unary_unary_rpc_method_handler(handler)

    def _check(self, context) -> None:
        if self._token and ("authorization", f"Bearer {self._token}") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no such token")

    def _metadata(self, content, context):
        self._check(context)
        signatures = [
            make_message(
                "NamedSignatureDef",
                key=name,
                value=make_message("SignatureDef", inputs=_infos(each.inputs), outputs=_infos(each.outputs)),
            )
            for name, each in _SIGNATURES.items()
        ]
        packed = make_message("SignatureDefMap", signature_def=signatures).SerializeToString()
        value = make_message("Any", type_url="type.googleapis.com/tensorflow.serving.SignatureDefMap", value=packed)
        named = make_message("NamedAny", key="signature_def", value=value)
        return make_message("GetModelMetadataResponse", metadata=[named]).SerializeToString()

    def _predict(self, content, context):
        self._check(context)
        fault = self._faults.next()
        if fault == "busy":
            context.abort(grpc.StatusCode.UNAVAILABLE, "The batch scheduling queue is full")
        (image,) = parse_message("PredictRequest", content).inputs
        probabilities = banded(read_tensor(image.value))
        outputs = {"probabilities": make_tensor(probabilities), "labels": make_tensor(probabilities.argmax(-1))}
        outputs["labels"].dtype = _NUMBERS["DT_INT64"]
        outputs["labels"].tensor_content = probabilities.argmax(-1).astype("<i8").tobytes()
        named = [make_message("NamedTensor", key=key, value=value) for key, value in outputs.items()]
        answer = make_message("PredictResponse", outputs=named).SerializeToString()
        return answer[: len(answer) // 2] if fault == "cut" else answer


def _infos(specs):
    return [
        make_message(
            "NamedTensorInfo",
            key=name,
            value=make_message(
                "TensorInfo",
                dtype=_NUMBERS[spec.dtype],
                tensor_shape=make_message("TensorShape", dim=[make_message("Dim", size=n) for n in spec.shape]),
            ),
        )
        for name, spec in specs.items()
    ]


class _RestServer(http.server.ThreadingHTTPServer):
    # Whoever holds the port for this server has bound it as well, and does not listen.
    allow_reuse_port = True
    daemon_threads = True
    request_queue_size = 64
    context = None

    def finish_request(self, request, client_address):
        # In the thread of the request, so that a client that does not shake hands keeps no other one waiting.
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        """Says nothing: clients that break off are what this server is for."""


def _serve_rest(settings: dict, faults: Faults) -> None:
    handler = type("Handler", (RestHandler,), {"faults": faults, "token": settings.get("token")})
    server = _RestServer(("127.0.0.1", settings["port"]), handler)
    if "certificate" in settings:
        server.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.context.load_cert_chain(settings["certificate"], settings["key"])
        if "client_ca" in settings:
            server.context.load_verify_locations(settings["client_ca"])
            server.context.verify_mode = ssl.CERT_REQUIRED
    print("ready", flush=True)
    server.serve_forever(0.05)


def _serve_grpc(settings: dict, faults: Faults) -> None:
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers([GrpcService(faults, settings.get("token"))])
    where = f"127.0.0.1:{settings['port']}"
    if "certificate" in settings:
        ca = Path(settings["client_ca"]).read_bytes() if "client_ca" in settings else None
        pair = tuple(Path(settings[name]).read_bytes() for name in ("key", "certificate"))
        server.add_secure_port(where, grpc.ssl_server_credentials([pair], ca, ca is not None))
    else:
        server.add_insecure_port(where)
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


def main() -> None:
    settings = json.loads(sys.argv[1])
    {"rest": _serve_rest, "grpc": _serve_grpc}[settings["kind"]](settings, Faults(settings))


if __name__ == "__main__":
    main()
