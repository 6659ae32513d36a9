"""The way to a server, from its address."""

from typing import Protocol
from urllib.parse import urlsplit

import numpy as np

from attent_tf.deployment.signature import Signature
from attent_tf.errors import ServerError
from attent_tf.serving.credentials import Credentials
from attent_tf.serving.grpc_server import GrpcServer
from attent_tf.serving.rest import RestServer

_ENCRYPTED = ("https", "grpcs")
_HERE = ("localhost", "127.0.0.1", "::1")


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
    credentials: Credentials | None = None,
) -> ModelServer:
    """Returns the way to a model; no request is sent yet.

    Args:
      address: `http://HOST:PORT` or `https://…` for REST (port 8501 of TensorFlow Serving's image), `grpc://HOST:PORT` for
        gRPC (port 8500), `grpcs://…` for gRPC over TLS.
      model: name under which the server knows the model.
      version: its number; None for the newest.
      timeout_s: the seconds that the server may be silent.
      attempts: how often a request is sent that meets no server, or a busy one.
      backoff_s: pause before a repetition; each further one is twice as long.
      credentials: files of TLS, and a token.

    Raises:
      ServerError: the address is of another form, credentials do not go with it or cannot be read, or gRPC is asked for and
        not installed.
    """
    try:
        parts = urlsplit(address)
        complete = bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete or parts.scheme not in ("http", "https", "grpc", "grpcs"):
        raise ServerError(
            f"server {address!r}: expected an address such as http://localhost:8501 (REST) or grpc://localhost:8500, "
            "found another form; give scheme, host and port"
        )
    credentials = credentials or Credentials()
    encrypted = parts.scheme in _ENCRYPTED
    # Without user and password, which an address may hold.
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    credentials.check(shown, encrypted, parts.hostname in _HERE)
    settings = (model, version, timeout_s, attempts, backoff_s, credentials)
    if parts.scheme.startswith("grpc"):
        return GrpcServer(parts.netloc, *settings, encrypted=encrypted)
    return RestServer(address, *settings)
