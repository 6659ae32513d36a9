"""The way to a server, from its address."""

from typing import Protocol
from urllib.parse import urlsplit

import numpy as np

from attent_tf.deployment.signature import Signature
from attent_tf.errors import ServerError
from attent_tf.serving.grpc_server import GrpcServer
from attent_tf.serving.rest import RestServer


class ModelServer(Protocol):
    """One model on a server, however it is spoken to.

    Attributes:
      where: what messages call it.
    """

    where: str

    def signatures(self) -> dict[str, Signature]:
        """Asks what the model takes and gives."""

    def predict(self, name: str, signature: Signature, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature."""


def connect(
    address: str,
    model: str = "attent",
    version: int | None = None,
    timeout_s: float = 120.0,
    attempts: int = 4,
    backoff_s: float = 0.5,
) -> ModelServer:
    """Returns the way to a model; no request is sent yet.

    Args:
      address: `http://HOST:PORT` or `https://…` for REST (port 8501 of TensorFlow Serving's image), `grpc://HOST:PORT` for
        gRPC (port 8500).
      model: name under which the server knows the model.
      version: its number; None for the newest.
      timeout_s: that the server may be silent.
      attempts: how often a request is sent that meets no server, or a busy one.
      backoff_s: pause before a repetition; each further one is twice as long.

    Raises:
      ServerError: the address is of another form, or gRPC is asked for and not installed.
    """
    try:
        parts = urlsplit(address)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete or parts.scheme not in ("http", "https", "grpc"):
        raise ServerError(
            f"server {address!r}: expected an address such as http://localhost:8501 (REST) or grpc://localhost:8500, "
            "found another form; give scheme, host and port"
        )
    settings = (model, version, timeout_s, attempts, backoff_s)
    return GrpcServer(parts.netloc, *settings) if parts.scheme == "grpc" else RestServer(address, *settings)
