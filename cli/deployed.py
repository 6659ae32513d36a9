"""The one place where commands get the chain that scans go through."""

from typing import Any

from attent_tf.inference.deployed import Deployed, open_chain
from cli.remote import DEFAULT_MODEL, read_credentials


def open_deployed(run, settings: dict[str, Any]) -> Deployed:
    """Opens the chain where the command's options want it: here, or on a server.

    Args:
      run: a trained run, or the contract of a model on a server.
      settings: `batch_size` of the command, and of those that can use one, `server`, `model` and `model_version`.
    """
    if settings.get("server"):
        model = settings["model"] or DEFAULT_MODEL
        credentials = read_credentials(settings)
        return open_server(
            run, settings["server"], model, settings["model_version"], settings["batch_size"], credentials
        )
    return open_chain(run, settings["batch_size"])


def open_server(
    run, address: str, model: str, version: int | None, batch_size: int | None, credentials=None
) -> Deployed:
    """Connects to a server and checks its model; TensorFlow is not needed.

    Args:
      run: a trained run, or the contract of the model.
      address, model, version, credentials: see `attent_tf.serving.connect`.
      batch_size: slices at once; 8 if None.
    """
    from attent_tf.inference.batches import DEFAULT_BATCH
    from attent_tf.serving import RemoteChain, connect

    batch_size = batch_size or DEFAULT_BATCH
    server = connect(address, model, version, credentials=credentials)
    chain = RemoteChain(server, run.prepare_options, run.task.num_classes, slices_per_request=batch_size)
    return Deployed(chain, server.where, batch_size)
