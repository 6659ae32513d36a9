"""The one place where commands get the chain that scans go through."""

from typing import Any, NamedTuple

from attent_tf.runtime import device_name, start_quietly
from cli.remote import DEFAULT_MODEL


class Deployed(NamedTuple):
    """A chain that is ready.

    Attributes:
      chain: is called as `attent_tf.inference.chain.Chain` is.
      device: on what it runs, in words.
      batch_size: slices at once.
    """

    chain: Any
    device: str
    batch_size: int


def open_deployed(run, settings: dict[str, Any]) -> Deployed:
    """Opens the chain where the command's options want it: here, or on a server.

    Args:
      run: a trained run, or the contract of a model on a server.
      settings: `batch_size` of the command, and of those that can use one, `server`, `model` and `model_version`.
    """
    if settings.get("server"):
        model = settings["model"] or DEFAULT_MODEL
        return open_server(run, settings["server"], model, settings["model_version"], settings["batch_size"])
    return open_chain(run, settings["batch_size"])


def open_server(run, address: str, model: str, version: int | None, batch_size: int | None) -> Deployed:
    """Connects to a server and checks its model; TensorFlow is not needed.

    Args:
      run: a trained run, or the contract of the model.
      address, model, version: see `attent_tf.serving.connect`.
      batch_size: slices at once; 8 if None.
    """
    from attent_tf.inference.batches import DEFAULT_BATCH
    from attent_tf.serving import RemoteChain, connect

    batch_size = batch_size or DEFAULT_BATCH
    server = connect(address, model, version)
    chain = RemoteChain(server, run.prepare_options, slices_per_request=batch_size)
    return Deployed(chain, server.where, batch_size)


def open_chain(run, batch_size: int | None) -> Deployed:
    """Starts TensorFlow, loads the run's networks and traces their graph.

    Args:
      run: a trained run.
      batch_size: slices at once; chosen for the device if None.
    """
    start_quietly()
    import tensorflow as tf

    from attent_tf.inference.batches import choose_batch_size, gpu_free_bytes, usable_cores
    from attent_tf.inference.chain import load_chain

    gpus = tf.config.list_physical_devices("GPU")
    cores = usable_cores()
    if batch_size is None:
        # Before TensorFlow takes all of the GPU's memory for itself.
        free = gpu_free_bytes() if gpus else None
        batch_size = choose_batch_size(run.config.data.image_size, free, cores)
    chain = load_chain(run)
    options = run.prepare_options
    spec = tf.TensorSpec((batch_size, options.size, options.size, options.channels), tf.float32)
    # So that the first scan's time is its own.
    chain.__call__.get_concrete_function(spec)
    return Deployed(chain, device_name(cores), batch_size)
