"""An S3 server on the loopback: moto's, which tests install, and versitygw, where it is on the path."""

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.portability.processes import free_ports, listens, server, wait_until

BUCKET = "scans"
_KEYS = {
    "AWS_ACCESS_KEY_ID": "attent",
    "AWS_SECRET_ACCESS_KEY": "attent-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    # Nothing of the user's own may be asked.
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
_READY_SECONDS = 120


@contextlib.contextmanager
def s3_server(program: str, folder: Path) -> Iterator[dict[str, str]]:
    """Starts a server with an empty bucket `BUCKET`, and yields the environment by which clients find it.

    Args:
      program: `moto` or `versitygw`.
      folder: for its log and, with versitygw, its objects.
    """
    (port,) = free_ports(1)
    environment = _KEYS | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}"}
    if program == "moto":
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        secrets = {}
    else:
        (folder / "objects").mkdir()
        command = ["versitygw", "--port", f"127.0.0.1:{port}", "posix", str(folder / "objects")]
        secrets = {"ROOT_ACCESS_KEY": _KEYS["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": _KEYS["AWS_SECRET_ACCESS_KEY"]}
    with server(command, folder / "s3.log", os.environ | secrets) as process:
        wait_until(lambda: listens(port), _READY_SECONDS, program, [process])
        _client(environment).create_bucket(Bucket=BUCKET)
        yield environment


def upload(environment: dict[str, str], folder: Path, prefix: str) -> None:
    """Puts all files of a folder below a prefix."""
    client = _client(environment)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            client.upload_file(str(path), BUCKET, f"{prefix}/{path.relative_to(folder)}")


def names(environment: dict[str, str], prefix: str) -> list[str]:
    """Returns the names of all objects below a prefix, without it."""
    pages = _client(environment).get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
    return [entry["Key"].removeprefix(f"{prefix}/") for page in pages for entry in page.get("Contents", ())]


def download(environment: dict[str, str], prefix: str) -> dict[str, bytes]:
    """Returns all objects below a prefix, by the rest of their names."""
    client = _client(environment)
    return {
        name: client.get_object(Bucket=BUCKET, Key=f"{prefix}/{name}")["Body"].read()
        for name in names(environment, prefix)
    }


def remove(environment: dict[str, str], key: str) -> None:
    """Deletes an object."""
    _client(environment).delete_object(Bucket=BUCKET, Key=key)


@functools.cache
def _client_of(endpoint: str, key: str, secret: str):
    import boto3

    session = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint)


def _client(environment: dict[str, str]):
    keys = ("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return _client_of(*(environment[key] for key in keys))
