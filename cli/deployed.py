"""The one place where commands get the chain that scans go through."""

from typing import Any

from attent_tf.api.chains import DEFAULT_MODEL, choose_device, open_server, server_credentials
from attent_tf.deployment.model import TrainedModel
from attent_tf.inference.deployed import Deployed, load_libraries, open_chain


def open_deployed(run: TrainedModel, settings: dict[str, Any]) -> Deployed:
    """Opens the chain where the command's options want it: here, or on a server.

    Args:
      run: a trained run, or the contract of a model on a server.
      settings: `batch_size` and `device` of the command, and of those that can use one, `server`, `model` and `model_version`.

    Raises:
      ConfigError: there is no such device, or one is asked of a server.
    """
    choose_device(settings["device"], settings.get("server"))
    if settings.get("server"):
        model = settings["model"] or DEFAULT_MODEL
        files = ("server_ca", "client_certificate", "client_key", "token_file")
        credentials = server_credentials(*(settings[name] for name in files))
        return open_server(
            run, settings["server"], model, settings["model_version"], settings["batch_size"], credentials
        )
    return open_chain(run, settings["batch_size"])


def get_ready(settings: dict[str, Any]) -> None:
    """Does what `open_deployed` will do first, while no scan has been read yet; a server needs nothing."""
    if not settings.get("server"):
        load_libraries()
