"""TensorFlow Serving over its REST interface."""

import json
import ssl
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import numpy as np
import requests
from urllib3.util.retry import Retry

from attent_tf.deployment.signature import Signature, TensorSpec, without_internal
from attent_tf.errors import ServerError
from attent_tf.serving.credentials import Credentials
from attent_tf.serving.wording import in_one_line

# A full queue (429) and what gateways say of a server that is starting or busy. A request changes nothing on the server,
# so that each may be sent again.
_RETRIED = (429, 500, 502, 503, 504)
_DTYPES = {"DT_FLOAT": np.float32, "DT_INT64": np.int64}


class RestServer:
    """One model on a server.

    Args:
      url: `http://HOST:PORT`, or `https://…`.
      model: name under which the server knows the model.
      version: its number; None for the newest.
      timeout_s: the seconds that a connection, and then a silence of the server, may last.
      attempts: how often a request is sent that meets no server, or a busy one.
      backoff_s: pause before the second repetition; each further one is twice as long.
      credentials: files of TLS, and a token.
    """

    def __init__(
        self,
        url: str,
        model: str,
        version: int | None = None,
        timeout_s: float = 120.0,
        attempts: int = 4,
        backoff_s: float = 0.5,
        credentials: Credentials | None = None,
    ):
        self._base = f"{url.rstrip('/')}/v1/models/{quote(model, safe='')}"
        if version is not None:
            self._base += f"/versions/{version}"
        self.where = _without_password(self._base)
        self._timeout_s = timeout_s
        self._attempts = attempts
        retry = Retry(
            total=attempts - 1,
            # A server that is too slow gets slower by repetitions; one that broke off while it answered is worth one.
            read=min(1, attempts - 1),
            # A certificate stays what it is.
            other=0,
            backoff_factor=backoff_s,
            status_forcelist=_RETRIED,
            allowed_methods=None,
            redirect=False,
            raise_on_status=False,
        )
        credentials = credentials or Credentials()
        self._session = requests.Session()
        # Named with each request: of a session's own file, and of its header, the environment and .netrc take precedence.
        self._shown = {"auth": _Authorization(credentials.authorization)} if credentials.authorization else {}
        if credentials.ca_file:
            self._shown["verify"] = credentials.ca_file
        if credentials.certificate_file:
            names = (credentials.certificate_file, credentials.key_file)
            self._shown["cert"] = names if credentials.key_file else credentials.certificate_file
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))

    def signatures(self) -> dict[str, Signature]:
        """Asks what the model takes and gives.

        Raises:
          ServerError: there is no server, or no such model or version.
        """
        content = self._ask("GET", f"{self._base}/metadata")
        try:
            found = content["metadata"]["signature_def"]["signature_def"]
            return without_internal(
                {
                    name: Signature(_tensors(signature["inputs"]), _tensors(signature["outputs"]))
                    for name, signature in found.items()
                }
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise self._strange("the metadata of a model", content) from error

    def predict(self, name: str, signature: Signature, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
          name: the name of the signature.
          signature: what it takes and gives.
          inputs: arrays by name.

        Returns:
          Arrays by name, of the types that the signature states.

        Raises:
          ServerError: there is no server, or it refuses the request; then with its own words and what was expected.
        """
        body = {"signature_name": name, "inputs": {key: np.asarray(value).tolist() for key, value in inputs.items()}}
        content = self._ask("POST", f"{self._base}:predict", body, f"for {name!r} {signature}")
        outputs = content.get("outputs")
        # The name of a single output is left out.
        if len(signature.outputs) == 1:
            outputs = {next(iter(signature.outputs)): outputs}
        return {key: self._read(key, spec, outputs, content) for key, spec in signature.outputs.items()}

    def _read(self, name: str, spec: TensorSpec, outputs: Any, content: Any) -> np.ndarray:
        try:
            values = np.array(outputs[name], _DTYPES[spec.dtype])
        except (KeyError, TypeError, ValueError) as error:
            raise self._strange(f"{name} {spec}", content) from error
        if not spec.fits(values.shape):
            raise self._strange(f"{name} {spec}", f"the shape {values.shape}")
        return values

    def _ask(self, method: str, url: str, body: Any = None, expected: str = "") -> dict[str, Any]:
        try:
            answer = self._send(method, url, body)
        except requests.exceptions.InvalidURL as error:
            raise ServerError(f"{self.where}: expected http://HOST:PORT, found another address; check it") from error
        except requests.exceptions.SSLError as error:
            raise ServerError(
                f"{self.where}: expected a server that --server-ca vouches for (without it, the system) and that takes the "
                f"client's certificate, found another ({_reason(error)}); check the certificates and the name of the host"
            ) from error
        except requests.exceptions.RequestException as error:
            raise ServerError(
                f"{self.where}: expected a TensorFlow Serving that answers within {self._timeout_s:g} s, found none in "
                f"up to {self._attempts} attempts ({_reason(error)}); start one (docs/serving.md) or check the address"
            ) from error
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise self._strange("an answer in JSON", f"status {answer.status_code}, {answer.text}")
        if answer.status_code != requests.codes.ok:
            message = in_one_line(content.get("error", f"status {answer.status_code}"))
            advice = f"expected {expected}" if expected else "check the names of model and version"
            raise ServerError(f"{self.where}: the server says “{message}”; {advice}")
        return content

    def _send(self, method: str, url: str, body: Any) -> requests.Response:
        # NaN goes out as it stands, so that the server is the one to refuse it.
        arguments = {"data": _to_json(body), "headers": {"Content-Type": "application/json"}}
        arguments |= {"timeout": self._timeout_s, "allow_redirects": False, **self._shown}
        try:
            return self._session.request(method, url, **arguments)
        except requests.exceptions.ChunkedEncodingError:
            # An answer that was cut short; the adapter repeats only what broke off before it began.
            if self._attempts < 2:
                raise
            return self._session.request(method, url, **arguments)

    def _strange(self, expected: str, found: Any) -> ServerError:
        return ServerError(
            f"{self.where}: expected {expected}, found {in_one_line(found)}; is this the REST port of TensorFlow Serving?"
        )


class _Authorization(requests.auth.AuthBase):
    """Sets the header, so that no other source is asked for one."""

    def __init__(self, value: str):
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


def _to_json(body: Any) -> str | None:
    return None if body is None else json.dumps(body, separators=(",", ":"))


def _tensors(content: dict[str, Any]) -> dict[str, TensorSpec]:
    return {name: _tensor(tensor) for name, tensor in content.items()}


def _tensor(content: dict[str, Any]) -> TensorSpec:
    shape = content["tensor_shape"]
    # 64-bit numbers are strings in the JSON form of protocol buffers.
    sizes = None if shape.get("unknown_rank") else tuple(int(dim["size"]) for dim in shape.get("dim", []))
    return TensorSpec(content["dtype"], sizes)


def _reason(error: Exception) -> str:
    """The innermost cause in a few words; the outer ones only repeat the address."""
    if isinstance(error, requests.exceptions.Timeout):
        return "time-out"
    while True:
        inner = getattr(error, "reason", None) or next((arg for arg in error.args if isinstance(arg, Exception)), None)
        if not isinstance(inner, Exception):
            break
        error = inner
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return in_one_line(str(error).rpartition(": ")[2] or type(error).__name__)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
