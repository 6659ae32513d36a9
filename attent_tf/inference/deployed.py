"""A chain that is ready on this machine, and at how many slices at once. TensorFlow is loaded with the first one."""

import contextlib
import os
from typing import Any, NamedTuple

from attent_tf.inference.batches import choose_batch_size, gpu_free_bytes, usable_cores
from attent_tf.inference.exported_chain import ExportedChain
from attent_tf.runtime import device_name, start_quietly
from attent_tf.volumes import PrepareOptions


class Deployed(NamedTuple):
    """A chain that is ready, and its batch size.

    Attributes:
      chain: is called as `attent_tf.inference.chain.Chain` is.
      device: on what it runs, in words.
      batch_size: slices at once.
    """

    chain: Any
    device: str
    batch_size: int


def load_libraries() -> None:
    """Loads TensorFlow and the networks' code, which `open_chain` does too."""
    start_quietly()
    import attent_tf.inference.chain  # noqa: F401


def open_chain(run, batch_size: int | None) -> Deployed:
    """Starts TensorFlow, loads the run's networks and traces their graph.

    Args:
      run: a trained run.
      batch_size: slices at once; chosen for the device if None.
    """
    device, batch_size = _device(run.config.data.image_size, batch_size)
    import tensorflow as tf

    from attent_tf.inference.chain import load_chain

    chain = load_chain(run)
    options = run.prepare_options
    spec = tf.TensorSpec((batch_size, options.size, options.size, options.channels), tf.float32)
    # So that the first scan's time is its own.
    chain.__call__.get_concrete_function(spec)
    return Deployed(chain, device, batch_size)


def open_exported(
    folder: str | os.PathLike, options: PrepareOptions, num_classes: int, batch_size: int | None
) -> Deployed:
    """Starts TensorFlow and loads an exported model; other processes of the machine are left their part of a GPU.

    Args:
      folder: the folder of a version.
      options: how scans are prepared for it.
      num_classes: C, as of its task.
      batch_size: slices at once; chosen for the device if None.

    Raises:
      InputError: see `ExportedChain`.
    """
    device, batch_size = _device(options.size, batch_size, shared=True)
    return Deployed(ExportedChain(folder, options, num_classes), device, batch_size)


def _device(image_size: int, batch_size: int | None, shared: bool = False) -> tuple[str, int]:
    """Starts TensorFlow; returns the device in words, and the batch size for it where none is given."""
    start_quietly()
    import tensorflow as tf

    gpus, cores = tf.config.get_visible_devices("GPU"), usable_cores()
    for gpu in gpus if shared else ():
        # A runtime that has begun already keeps what it took.
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    if batch_size is None:
        # Before TensorFlow takes all of the GPU's memory for itself.
        batch_size = choose_batch_size(image_size, gpu_free_bytes() if gpus else None, cores)
    return device_name(cores), batch_size
