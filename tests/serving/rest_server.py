"""A server process that speaks TensorFlow Serving's REST interface over an exported model's folder.

    python rest_server.py MODEL_FOLDER NAME

It imports TensorFlow and no part of this library. Like TensorFlow Serving it serves the highest version, runs signatures in a
session on whatever arrives (the graph's own checks are what stands in the way), and words its errors as `json_tensor.cc`,
`http_rest_api_handler.cc` and `get_model_status_impl.cc` of tensorflow/serving do. It prints `ready PORT` and ends when its
standard input does.
"""

import argparse
import http.server
import importlib.abc
import json
import pathlib
import re
import shutil
import sys
import tempfile
import threading


class _NoLibrary(importlib.abc.MetaPathFinder):
    """Hides this project: an exported model has to do without it."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("attent_tf", "beam_preprocess", "cli"):
            raise ModuleNotFoundError(f"No module named {name!r} (hidden)", name=name)


sys.meta_path.insert(0, _NoLibrary())

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from google.protobuf import json_format  # noqa: E402
from tensorflow.core.framework import tensor_shape_pb2  # noqa: E402
from tensorflow.core.protobuf import saved_model_pb2  # noqa: E402

_PREDICT = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+))?:(classify|regress|predict)")
_STATUS = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+))?(/metadata)?")


class RefusedError(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Model:
    """One version of a model, in a session."""

    def __init__(self, folder: pathlib.Path):
        self.version = max(int(entry.name) for entry in folder.iterdir() if entry.name.isdigit())
        saved = folder / str(self.version)
        with tempfile.TemporaryDirectory() as copy:
            # A Python session checks shapes before it feeds them; the C++ session of a server does not.
            shutil.copytree(saved, copy, dirs_exist_ok=True)
            content = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes())
            for node in content.meta_graphs[0].graph_def.node:
                if node.op == "Placeholder":
                    node.attr["shape"].shape.CopyFrom(tensor_shape_pb2.TensorShapeProto(unknown_rank=True))
                    node.attr.pop("_output_shapes", None)
            (pathlib.Path(copy) / "saved_model.pb").write_bytes(content.SerializeToString())
            self._session = tf.compat.v1.Session(graph=tf.Graph())
            with self._session.graph.as_default():
                meta = tf.compat.v1.saved_model.load(self._session, ["serve"], copy)
        self.signatures = meta.signature_def
        self._lock = threading.Lock()

    def run(self, signature, inputs):
        feed = {signature.inputs[name].name: value for name, value in inputs.items()}
        fetches = {name: info.name for name, info in signature.outputs.items()}
        with self._lock:
            try:
                return self._session.run(fetches, feed)
            except tf.errors.OpError as error:
                status = 400 if isinstance(error, tf.errors.InvalidArgumentError) else 500
                raise RefusedError(status, error.message) from error


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name: str
    model: Model

    def do_GET(self):
        self._answer(self._get)

    def do_POST(self):
        self._answer(self._post)

    def log_message(self, *arguments):
        """Says nothing."""

    def _answer(self, make):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            status, content = 200, make(body)
        except RefusedError as refusal:
            status, content = refusal.status, {"error": str(refusal)}
        # Serving prints one value a line, which would take Python long; NaN and Infinity stand as such.
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _get(self, body):
        del body
        match = _STATUS.fullmatch(self.path)
        if not match:
            raise RefusedError(400, f"Malformed request: GET {self.path}")
        name, version, metadata = match.groups()
        if metadata:
            self._find(name, version)
            signatures = {
                key: json_format.MessageToDict(
                    value, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
                )
                for key, value in self.model.signatures.items()
            }
            spec = {"name": name, "signature_name": "", "version": str(self.model.version)}
            return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}
        if name != self.name:
            raise RefusedError(404, f"Could not find any versions of model {name}")
        if version and int(version) != self.model.version:
            raise RefusedError(404, f"Could not find version {version} of model {name}")
        state = {"version": str(self.model.version), "state": "AVAILABLE"}
        return {"model_version_status": [{**state, "status": {"error_code": "OK", "error_message": ""}}]}

    def _find(self, name, version):
        if name != self.name:
            raise RefusedError(404, f"Servable not found for request: Latest({name})")
        if version and int(version) != self.model.version:
            raise RefusedError(404, f"Servable not found for request: Specific({name}, {version})")

    def _post(self, body):
        match = _PREDICT.fullmatch(self.path)
        if not match:
            raise RefusedError(400, f"Malformed request: POST {self.path}")
        name, version, _ = match.groups()
        self._find(name, version)
        try:
            request = json.loads(body)
        except ValueError as error:
            raise RefusedError(
                400, f"JSON Parse error: Invalid value. at offset: {getattr(error, 'pos', 0)}"
            ) from error
        key = request.get("signature_name") or "serving_default"
        if key not in self.model.signatures:
            raise RefusedError(400, f'Serving signature name: "{key}" not found in signature def')
        signature = self.model.signatures[key]
        if "instances" in request:
            return self._rows(signature, request["instances"])
        if "inputs" in request:
            return self._columns(signature, request["inputs"])
        raise RefusedError(400, "Missing 'inputs' or 'instances' key")

    def _columns(self, signature, given):
        if not isinstance(given, dict):
            if len(signature.inputs) > 1:
                raise RefusedError(
                    400,
                    "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                    "tensorinfo_map",
                )
            given = {next(iter(signature.inputs)): given}
        for name in signature.inputs:
            if name not in given:
                raise RefusedError(400, f"Missing named input: {name} in 'inputs' object.")
        outputs = self.model.run(signature, {name: _tensor(signature, name, given[name]) for name in signature.inputs})
        plain = {name: value.tolist() for name, value in outputs.items()}
        return {"outputs": next(iter(plain.values())) if len(plain) == 1 else plain}

    def _rows(self, signature, given):
        names = list(signature.inputs)
        if not isinstance(given[0], dict):
            if len(names) > 1:
                raise RefusedError(
                    400,
                    "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
                    "tensorinfo_map",
                )
            given = [{names[0]: row} for row in given]
        for number, row in enumerate(given):
            if set(row) != set(names):
                raise RefusedError(
                    400,
                    f"Failed to process element: {number} of 'instances' list. JSON object: {json.dumps(row)} must only "
                    f"have keys: {','.join(names)}",
                )
        inputs = {name: _tensor(signature, name, [row[name] for row in given]) for name in names}
        outputs = {name: value.tolist() for name, value in self.model.run(signature, inputs).items()}
        if len(outputs) == 1:
            return {"predictions": next(iter(outputs.values()))}
        return {"predictions": [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]}


def _tensor(signature, name, values):
    dtype = tf.as_dtype(signature.inputs[name].dtype)
    try:
        array = np.array(values)
    except ValueError as error:
        raise RefusedError(400, "Encountered list at unexpected size: 1 at level: 1 expected size: 2") from error
    if array.dtype.kind not in "fiu":
        value = array.ravel()[0].item()
        raise RefusedError(
            400,
            f"JSON Value: {json.dumps(value)} Type: {type(value).__name__.title()} is not of expected type: {dtype.name}",
        )
    return array.astype(dtype.as_numpy_dtype)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("name")
    arguments = parser.parse_args()
    Handler.name, Handler.model = arguments.name, Model(arguments.folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
