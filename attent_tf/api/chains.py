"""`load_chain`: trained networks that are ready for scans, from any source."""

import dataclasses
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from attent_tf.configs.first_weights import PACKAGE_SUFFIX
from attent_tf.deployment import METADATA_FILE, read_contract
from attent_tf.deployment.model import TrainedModel
from attent_tf.errors import ConfigError, InputError
from attent_tf.inference.batches import DEFAULT_BATCH
from attent_tf.inference.deployed import Deployed, open_chain, open_exported
from attent_tf.runs import Run, load_run
from attent_tf.runs.run import RUN_FILE
from attent_tf.runtime import use_device

if TYPE_CHECKING:
    from attent_tf.serving import Credentials

DEFAULT_MODEL = "attent"
"""Name of a model on a server, unless another is given."""


@dataclasses.dataclass(frozen=True)
class LoadedChain:
    """Networks that are ready for scans, and what they were trained for.

    Attributes:
      model: what was trained: its method, task, direction, and how scans are prepared for it.
      deployed: the networks, the device that they run on, and how many slices go through them at once.
    """

    model: TrainedModel
    deployed: Deployed


def load_chain(
    run: Run | str | os.PathLike[str],
    batch_size: int | None = None,
    server: str | None = None,
    model: str = DEFAULT_MODEL,
    model_version: int | None = None,
    server_ca: str | os.PathLike[str] | None = None,
    client_certificate: str | os.PathLike[str] | None = None,
    client_key: str | os.PathLike[str] | None = None,
    token_file: str | os.PathLike[str] | None = None,
    device: str = "auto",
) -> LoadedChain:
    """Makes trained networks ready for `segment_volume` and `translate_volume`.

    Args:
      run: a trained run or its folder, a package (`FILE.attent`), or the version folder of an exported model
        (`models/attent/1`). With `server`, the `metadata.json` of the exported model is enough; TensorFlow is not needed then.
      batch_size: slices per batch; chosen for the device if None. The result does not depend on it.
      server: address of a TensorFlow Serving server that holds the exported model, `http://HOST:8501` or `grpc://HOST:8500`.
      model: name of the model on the server.
      model_version: its version there; the newest if None.
      server_ca, client_certificate, client_key, token_file: see `server_credentials`.
      device: where the networks of this process run: `auto`, `cpu`, `gpu`, or `gpu:N` for the GPU with that number; it must be
        chosen before TensorFlow first computes.

    Raises:
      ConfigError: there is no such device, or a device is given together with a server.
      InputError: the path is not one of these, or what lies there is damaged.
      RunError: a stage of the run has no checkpoint, or it is of another model.
      ServerError: there is no such server or model.
    """
    trained, place = _trained(run)
    choose_device(device, server)
    if server is not None:
        credentials = server_credentials(server_ca, client_certificate, client_key, token_file)
        return LoadedChain(trained, open_server(trained, server, model, model_version, batch_size, credentials))
    if isinstance(trained, Run):
        return LoadedChain(trained, open_chain(trained, batch_size))
    options, classes = trained.prepare_options, trained.task.num_classes
    return LoadedChain(trained, open_exported(place, options, classes, batch_size))


def choose_device(name: str, server: str | None) -> None:
    """Chooses where the networks of this process run.

    Args:
      name: see `load_chain`.
      server: address of a server that runs them instead, or None.

    Raises:
      ConfigError: there is no such device, or a device is given together with a server.
    """
    if server is None:
        use_device(name)
    elif name != "auto":
        raise ConfigError(f"--device {name}: a server computes on a device of its own; leave it out")


def server_credentials(
    server_ca: str | os.PathLike[str] | None,
    client_certificate: str | os.PathLike[str] | None,
    client_key: str | os.PathLike[str] | None,
    token_file: str | os.PathLike[str] | None,
) -> "Credentials":
    """Returns the credentials of a client, and the certificates that it checks a server against.

    Args:
      server_ca: certificates (PEM) to check the server against, in place of the system's.
      client_certificate: the client's certificate (PEM), for servers that ask for one.
      client_key: its private key (PEM), if not in the same file.
      token_file: file with a bearer token; the one in the environment if None.

    Raises:
      AttentError: the file or variable for the token holds none.
    """
    from attent_tf.serving import Credentials, read_authorization

    ca, certificate, key, token = (
        None if path is None else os.fspath(path) for path in (server_ca, client_certificate, client_key, token_file)
    )
    return Credentials(ca, certificate, key, read_authorization(token))


def open_server(
    trained: TrainedModel,
    address: str,
    model: str,
    version: int | None,
    batch_size: int | None,
    credentials: "Credentials | None" = None,
) -> Deployed:
    """Connects to a server and checks its model; TensorFlow is not needed.

    Args:
      trained: a run, or the contract of the model.
      address, model, version, credentials: see `attent_tf.serving.connect`.
      batch_size: slices per request; 8 if None.

    Raises:
      ServerError: there is no such server or model, or the model is not an exported chain for such slices.
    """
    from attent_tf.serving import RemoteChain, connect

    batch_size = batch_size or DEFAULT_BATCH
    server = connect(address, model, version, credentials=credentials)
    chain = RemoteChain(server, trained.prepare_options, trained.task.num_classes, slices_per_request=batch_size)
    return Deployed(chain, server.where, batch_size)


def _trained(run: Run | str | os.PathLike[str]) -> tuple[TrainedModel, Path]:
    """Returns the trained model, and where it lies."""
    if isinstance(run, Run):
        return run, run.folder
    place = Path(run)
    if (place / RUN_FILE).is_file() or place.suffix == PACKAGE_SUFFIX or zipfile.is_zipfile(place):
        return load_run(place), place
    if place.name == METADATA_FILE or (place / METADATA_FILE).is_file():
        return read_contract(place), place.parent if place.name == METADATA_FILE else place
    found = "neither there" if place.is_dir() else "a file" if place.is_file() else "nothing"
    expected = f"a run folder ({RUN_FILE}), a package or the version folder of an exported model ({METADATA_FILE})"
    raise InputError(place, expected, found, "take what attent train, attent package or attent export wrote")
