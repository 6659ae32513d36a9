"""What a client shows to a server, and by what it knows the server. Secrets come from files or the environment alone."""

import dataclasses
import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from attent_tf.errors import ServerError

TOKEN_VARIABLE = "ATTENT_SERVER_TOKEN"


@dataclasses.dataclass(frozen=True)
class Credentials:
    """Files of a connection over TLS, and a token.

    Attributes:
      ca_file: certificates (PEM) by one of which the server's has to be signed; None for those of the system.
      certificate_file: the client's own certificate (PEM), followed by those between it and the server's CA; None for none.
      key_file: its private key (PEM, without a passphrase); None if the certificate's file holds it.
      authorization: value of the header `Authorization`, which no message shows; None for none.
    """

    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    authorization: str | None = dataclasses.field(default=None, repr=False)

    def check(self, address: str, encrypted: bool, local: bool) -> None:
        """Checks the files, and that nothing secret would cross a network in the clear.

        Args:
          address: the address of the server, for messages.
          encrypted: whether it is reached over TLS.
          local: whether it is this machine.

        Raises:
          ServerError: a file is not what it should be, or there is no encryption and something needs it.
        """
        if not encrypted:
            files = [path for path in (self.ca_file, self.certificate_file, self.key_file) if path]
            wanted = f"server {address}: expected https://HOST:PORT or grpcs://HOST:PORT"
            if files:
                raise ServerError(
                    f"{wanted} for {files[0]}, found no encryption; change the address or leave the file out"
                )
            if self.authorization and not local:
                raise ServerError(
                    f"{wanted} for a token, found no encryption on the way to another machine; change the address"
                )
            return
        if self.key_file and not self.certificate_file:
            raise ServerError(f"{self.key_file}: expected the certificate of this key beside it, found none; give both")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_file:
            _load(self.ca_file, "certificates in PEM form", lambda: context.load_verify_locations(self.ca_file))
        if self.certificate_file:
            key = self.key_file or "in the same file"
            expected = f"a certificate in PEM form and its key ({key}), without a passphrase"
            # An empty passphrase, so that nobody is asked for one.
            _load(
                self.certificate_file,
                expected,
                lambda: context.load_cert_chain(self.certificate_file, self.key_file, password=lambda: ""),
            )


def read_authorization(token_file: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Returns the value of the header `Authorization`: `Bearer TOKEN`, or the text as it stands where it has two words.

    Args:
      token_file: file with one line; None for the variable `ATTENT_SERVER_TOKEN`, which may be unset.
      environment: the variables of the process.

    Raises:
      ServerError: the file cannot be read, or what it or the variable holds is no token.
    """
    if token_file is None:
        where, text = TOKEN_VARIABLE, environment.get(TOKEN_VARIABLE, "")
        if not text.strip():
            return None
    else:
        where = token_file
        try:
            text = Path(token_file).read_text(encoding="ascii")
        except OSError as error:
            raise ServerError(
                f"{where}: expected a file with a token, found {error.strerror.lower()}; check it"
            ) from error
        except UnicodeDecodeError:
            text = ""
    words = text.split()
    if (
        len(words) not in (1, 2)
        or len(text.strip().splitlines()) != 1
        or not text.isascii()
        or not text.strip().isprintable()
    ):
        raise ServerError(f"{where}: expected one line, a token or SCHEME and TOKEN, found something else; check it")
    return " ".join(words if len(words) == 2 else ["Bearer", *words])


def _load(path, expected, load) -> None:
    try:
        load()
    except OSError as error:
        # An error of TLS is one too; its reason is a word such as KEY_VALUES_MISMATCH.
        found = getattr(error, "reason", None) or error.strerror or "something else"
        found = found.lower().replace("_", " ")
        raise ServerError(f"{path}: expected {expected}, found {found}; check the file") from error
