"""Certificates and tokens, against servers that ask for them."""

import numpy as np
import pytest
import trustme

from attent_tf.deployment.signature import expected_signatures
from attent_tf.errors import ConfigError, ServerError
from attent_tf.serving import Credentials, RemoteChain, connect, read_authorization
from attent_tf.volumes import PrepareOptions
from cli.remote import read_source
from tests.serving.banded import CLASSES, SIZE, banded
from tests.serving.faulty import faulty

_SIGNATURES = expected_signatures(SIZE, 1, CLASSES)
_TOKEN = "s3cret-of-the-ward"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """PEM files: the CA, the server's and the client's certificates and keys, and what another CA signed."""
    folder = tmp_path_factory.mktemp("certificates")
    found = {}
    for name in ("", "other_"):
        authority = trustme.CA()
        found[f"{name}ca"] = str(folder / f"{name}ca.pem")
        authority.cert_pem.write_to_path(found[f"{name}ca"])
        for whose, host in (("server", "127.0.0.1"), ("client", "clinic.example")):
            issued = authority.issue_cert(host)
            found[f"{name}{whose}"] = str(folder / f"{name}{whose}.pem")
            found[f"{name}{whose}_key"] = str(folder / f"{name}{whose}.key")
            issued.cert_chain_pems[0].write_to_path(found[f"{name}{whose}"])
            issued.private_key_pem.write_to_path(found[f"{name}{whose}_key"])
    return found


@pytest.fixture(scope="module", params=["rest", "grpc"])
def server(request, files):
    """A server that shows its certificate, and asks for the client's and for a token."""
    shown = {"certificate": files["server"], "key": files["server_key"], "client_ca": files["ca"], "token": _TOKEN}
    with faulty(request.param, **shown) as server:
        yield server


def _good(files, **changes):
    values = {"ca_file": files["ca"], "certificate_file": files["client"], "key_file": files["client_key"]}
    return Credentials(**(values | {"authorization": f"Bearer {_TOKEN}"} | changes))


def _connect(server, credentials):
    return connect(server.address, attempts=2, backoff_s=0.01, timeout_s=20, credentials=credentials)


def test_who_shows_all_that_is_asked_for_is_answered(server, files, monkeypatch, tmp_path):
    # The environment and .netrc have their say only where nothing is given.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", files["other_ca"])
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login nobody password nothing\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    images = np.linspace(-1, 1, SIZE * SIZE, dtype=np.float32).reshape(1, SIZE, SIZE, 1)
    chain = RemoteChain(_connect(server, _good(files)), PrepareOptions(size=SIZE), CLASSES)
    np.testing.assert_allclose(chain(images).probabilities, banded(images), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ca_file": "other_ca"}, "certificate|CERTIFICATE"),
        ({"ca_file": None}, "certificate|CERTIFICATE"),
        ({"certificate_file": "other_client", "key_file": "other_client_key"}, "."),
        ({"certificate_file": None, "key_file": None}, "."),
        ({"authorization": "Bearer another"}, "no such token"),
        ({"authorization": None}, "no such token"),
    ],
)
def test_who_does_not_is_told_in_one_line_without_the_token(changes, words, server, files):
    changes = {name: files.get(value, value) for name, value in changes.items()}
    with pytest.raises(ServerError, match=words) as caught:
        _connect(server, _good(files, **changes)).signatures()
    line = str(caught.value)
    assert line.startswith(server.address)
    assert "\n" not in line
    assert _TOKEN not in line


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_a_certificate_of_another_host_is_refused(kind, files):
    with (
        faulty(kind, certificate=files["client"], key=files["client_key"]) as server,
        pytest.raises(ServerError, match=r"^\w+://127.0.0.1:\d+.*certificate|CERTIFICATE|hostname|Hostname"),
    ):
        _connect(server, Credentials(ca_file=files["ca"])).signatures()


def test_credentials_are_checked_before_anything_is_sent(files, tmp_path):
    (tmp_path / "no.pem").write_text("no certificate")
    wrong = [
        (
            Credentials(ca_file=str(tmp_path / "none.pem")),
            r"none.pem: expected certificates in PEM form, found no such",
        ),
        (Credentials(ca_file=str(tmp_path / "no.pem")), r"no.pem: expected certificates in PEM form, found no cert"),
        (Credentials(certificate_file=files["client"], key_file=files["server_key"]), "key values mismatch"),
        (Credentials(key_file=files["client_key"]), "expected the certificate of this key beside it"),
    ]
    for credentials, words in wrong:
        for address in ("https://host:1", "grpcs://host:1"):
            with pytest.raises(ServerError, match=words):
                connect(address, credentials=credentials)


def test_no_secret_crosses_a_network_in_the_clear(files):
    token = Credentials(authorization=f"Bearer {_TOKEN}")
    for address in ("http://user:word@host:1", "grpc://host:1"):
        with pytest.raises(ServerError, match=r"for a token, found no encryption") as caught:
            connect(address, credentials=token)
        assert "word" not in str(caught.value)
    assert connect("http://localhost:1", credentials=token).where == "http://localhost:1/v1/models/attent"
    with pytest.raises(ServerError, match=r"ca.pem, found no encryption"):
        connect("http://localhost:1", credentials=Credentials(ca_file=files["ca"]))
    assert _TOKEN not in repr(token)


def test_a_token_is_one_line_of_a_file_or_of_the_environment(tmp_path):
    path = tmp_path / "token"
    for text, expected in (("abc\n", "Bearer abc"), ("Basic dXNlcjp3b3Jk", "Basic dXNlcjp3b3Jk")):
        path.write_text(text)
        assert read_authorization(str(path), {}) == expected
        assert read_authorization(None, {"ATTENT_SERVER_TOKEN": text}) == expected
    assert read_authorization(None, {}) is read_authorization(None, {"ATTENT_SERVER_TOKEN": " "}) is None
    for text in ("", "a\nX-Other: b", "one two three", "schlüssel"):
        path.write_text(text)
        with pytest.raises(ServerError, match=r"token: expected one line") as caught:
            read_authorization(str(path), {})
        assert not text or text not in str(caught.value)
    with pytest.raises(ServerError, match="found no such file"):
        read_authorization(str(tmp_path / "none"), {})


@pytest.mark.slow
def test_an_address_with_a_password_is_refused_on_the_command_line():
    with pytest.raises(ConfigError, match="--server: expected an address without user and password") as caught:
        read_source(None, "https://user:word@host:1", "metadata.json")
    assert "word@" not in str(caught.value)
