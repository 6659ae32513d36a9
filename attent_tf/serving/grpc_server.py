"""TensorFlow Serving over gRPC: the same as over REST, in a fraction of the bytes. Needs the package `grpcio`."""

import json

import numpy as np

from attent_tf.deployment.signature import Signature, TensorSpec, without_internal
from attent_tf.errors import ServerError
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
      target: `HOST:PORT`. The connection is not encrypted: TensorFlow Serving's own default.
      model, version, timeout_s, attempts, backoff_s: as for `RestServer`.

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
    ):
        try:
            import grpc
        except ImportError as error:
            raise ServerError(
                f"grpc://{target}: expected the package grpcio, which is not installed; install it or give http://HOST:PORT"
            ) from error
        self.where = f"grpc://{target}, model {model}" + (f" version {version}" if version is not None else "")
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
        self._channel = grpc.insecure_channel(
            target,
            options=[
                # Without these, 4 MiB: less than two slices with their probabilities.
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                ("grpc.enable_retries", int(attempts > 1)),
                # What is larger is not sent again; by default that is one slice.
                ("grpc.per_rpc_retry_buffer_size", 1 << 30),
                ("grpc.service_config", json.dumps(config)),
            ],
        )

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
        return {item.key: read_tensor(item.value) for item in answer.outputs if item.key in signature.outputs}

    def _ask(self, method, request, advice):
        call = self._channel.unary_unary(
            f"{_SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=lambda content: parse_message(f"{method}Response", content),
        )
        try:
            return call(request, timeout=self._timeout_s)
        except self._grpc.RpcError as error:
            code = error.code()
            if code in (self._grpc.StatusCode.UNAVAILABLE, self._grpc.StatusCode.DEADLINE_EXCEEDED):
                raise ServerError(
                    f"{self.where}: expected a TensorFlow Serving that answers within {self._timeout_s:g} s, found none that "
                    f"is ready ({in_one_line(error.details())}); start one (docs/serving.md) or check the address"
                ) from error
            raise ServerError(f"{self.where}: the server says “{in_one_line(error.details())}”; {advice}") from error


def _tensors(named) -> dict[str, TensorSpec]:
    return {item.key: _tensor(item.value) for item in named}


def _tensor(info) -> TensorSpec:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
    return TensorSpec(DTYPE_NAMES.get(info.dtype, f"type {info.dtype}"), sizes)
