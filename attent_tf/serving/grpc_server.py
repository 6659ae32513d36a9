"""TensorFlow Serving over gRPC: the same as over REST, in a fraction of the bytes. Needs the package `grpcio`."""

import json
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError, Message

from attent_tf.deployment.signature import Signature, TensorSpec, without_internal
from attent_tf.errors import ServerError
from attent_tf.serving.credentials import Credentials
from attent_tf.serving.messages import (
    DTYPE_NAMES,
    make_message,
    make_predict_request,
    make_tensor,
    parse_message,
    read_tensor,
)
from attent_tf.serving.wording import in_one_line

_SERVICE = "/tensorflow.serving.PredictionService"


class GrpcServer:
    """One model on a server; takes and does what `RestServer` does.

    Args:
      target: `HOST:PORT`.
      model, version, timeout_s, attempts, backoff_s, credentials: as for `RestServer`.
      encrypted: over TLS; TensorFlow Serving's own default is not.

    Raises:
      ServerError: the package is not installed.
    """

    def __init__(
        self,
        target: str,
        model: str,
        version: int | None = None,
        timeout_s: float = 120.0,
        attempts: int = 4,
        backoff_s: float = 0.5,
        credentials: Credentials | None = None,
        encrypted: bool = False,
    ):
        credentials = credentials or Credentials()
        scheme = "grpcs" if encrypted else "grpc"
        try:
            import grpc
        except ImportError as error:
            raise ServerError(
                f"{scheme}://{target}: expected the package grpcio, which is not installed; install it or give http://HOST:PORT"
            ) from error
        self.where = f"{scheme}://{target}, model {model}" + (f" version {version}" if version is not None else "")
        self._model, self._version, self._timeout_s, self._attempts = model, version, timeout_s, attempts
        retries = {
            # gRPC allows five attempts at most.
            "maxAttempts": max(2, min(attempts, 5)),
            "initialBackoff": f"{max(backoff_s, 0.001)}s",
            "maxBackoff": f"{max(backoff_s, 0.001) * 8}s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
        }
        config = {"methodConfig": [{"name": [{}], "retryPolicy": retries}]}
        self._grpc = grpc
        self._metadata = [("authorization", credentials.authorization)] if credentials.authorization else None
        pause_ms = max(int(backoff_s * 1000), 100)
        options = [
            # Without these, 4 MiB: less than two slices with their probabilities.
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.enable_retries", int(attempts > 1)),
            # What is larger is not sent again; by default that is one slice.
            ("grpc.per_rpc_retry_buffer_size", 1 << 30),
            ("grpc.service_config", json.dumps(config)),
            # By default a server that went away is looked for again after up to two minutes, and requests fail until then.
            ("grpc.initial_reconnect_backoff_ms", pause_ms),
            ("grpc.min_reconnect_backoff_ms", pause_ms),
            ("grpc.max_reconnect_backoff_ms", pause_ms),
            # A connection for each client: by default those of one process to one server share theirs, and its credentials.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if encrypted:
            files = (
                credentials.ca_file,
                credentials.key_file or credentials.certificate_file,
                credentials.certificate_file,
            )
            tls = grpc.ssl_channel_credentials(*(Path(path).read_bytes() if path else None for path in files))
            self._channel = grpc.secure_channel(target, tls, options=options)
        else:
            self._channel = grpc.insecure_channel(target, options=options)

    def signatures(self) -> dict[str, Signature]:
        """Asks what the model takes and gives; see `RestServer.signatures`."""
        spec = make_predict_request(self._model, self._version, "", {}).model_spec
        request = make_message("GetModelMetadataRequest", model_spec=spec, metadata_field=["signature_def"])
        answer = self._ask("GetModelMetadata", request, "check the names of model and version")
        found = {item.key: item.value.value for item in answer.metadata}
        signatures = parse_message("SignatureDefMap", found.get("signature_def", b"")).signature_def
        return without_internal(
            {item.key: Signature(_tensors(item.value.inputs), _tensors(item.value.outputs)) for item in signatures}
        )

    def predict(self, name: str, signature: Signature, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature; see `RestServer.predict`."""
        tensors = {key: make_tensor(value) for key, value in inputs.items()}
        request = make_predict_request(self._model, self._version, name, tensors)
        answer = self._ask("Predict", request, f"expected for {name!r} {signature}")
        found = {item.key: item.value for item in answer.outputs}
        return {key: self._read(key, spec, found) for key, spec in signature.outputs.items()}

    def _read(self, name: str, spec: TensorSpec, found: dict[str, Message]) -> np.ndarray:
        if name not in found:
            raise ServerError(f"{self.where}: expected {name} {spec}, found {', '.join(sorted(found)) or 'nothing'}")
        values = read_tensor(found[name])
        if not spec.fits(values.shape):
            raise ServerError(f"{self.where}: expected {name} {spec}, found the shape {values.shape}")
        return values

    def _ask(self, method, request, advice):
        call = self._channel.unary_unary(
            f"{_SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
        )
        try:
            content = call(request, timeout=self._timeout_s, metadata=self._metadata)
        except self._grpc.RpcError as error:
            code = error.code()
            if code in (self._grpc.StatusCode.UNAVAILABLE, self._grpc.StatusCode.DEADLINE_EXCEEDED):
                raise ServerError(
                    f"{self.where}: expected a TensorFlow Serving that answers within {self._timeout_s:g} s, found none that "
                    f"is ready ({in_one_line(error.details())}); start one (docs/serving.md) or check the address"
                ) from error
            raise ServerError(f"{self.where}: the server says “{in_one_line(error.details())}”; {advice}") from error
        try:
            return parse_message(f"{method}Response", content)
        except DecodeError as error:
            raise ServerError(f"{self.where}: expected a {method}Response, found {len(content)} other bytes") from error


def _tensors(named) -> dict[str, TensorSpec]:
    return {item.key: _tensor(item.value) for item in named}


def _tensor(info) -> TensorSpec:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
    return TensorSpec(DTYPE_NAMES.get(info.dtype, f"type {info.dtype}"), sizes)
