"""How many slices go through the chain at once, and how they do."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from attent_tf.ahead import one_ahead
from attent_tf.errors import RunError
from attent_tf.stopwatch import Stopwatch

if TYPE_CHECKING:
    from attent_tf.inference.chain import ChainOutput

# Slices per batch by default; the result does not depend on it.
DEFAULT_BATCH = 8

# What the networks hold for each pixel of a slice at full size, generously: 268 MB for a slice of 256 × 256.
_BYTES_PER_PIXEL = 4096

# Larger batches gain nothing on a GPU that such a batch keeps busy.
_MOST_ON_GPU = 64
_MOST_ON_CPU = 8

# Of a GPU's free memory, the part that one batch may take: weights and the libraries' own work space need the rest.
_SHARE_OF_GPU = 0.5


def choose_batch_size(image_size: int, gpu_free_bytes: int | None, cores: int) -> int:
    """Chooses the number of slices at once for a machine.

    Args:
      image_size: edge at which the networks work, in pixels.
      gpu_free_bytes: free memory of the smallest GPU; None if there is none.
      cores: processor cores that this process may use.

    Returns:
      With a GPU, as many slices as half of its free memory holds, 1 to 64. Without one, as many as there are cores, at most
      8: there each slice keeps all cores busy, and a larger batch only takes memory.
    """
    if gpu_free_bytes is None:
        return max(1, min(cores, _MOST_ON_CPU))
    fitting = int(gpu_free_bytes * _SHARE_OF_GPU) // (image_size**2 * _BYTES_PER_PIXEL)
    return max(1, min(fitting, _MOST_ON_GPU))


def gpu_free_bytes() -> int | None:
    """Returns the free memory of the fullest GPU, as NVIDIA's driver tells it; None if no driver answers."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return None
    query = [command, "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30).stdout.split()
        return min(int(mebibytes) for mebibytes in told) * 2**20
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def usable_cores() -> int:
    """Returns the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_slices(
    chain: Callable[[np.ndarray], "ChainOutput"],
    images: np.ndarray,
    batch_size: int = DEFAULT_BATCH,
    watch: Stopwatch | None = None,
) -> Iterator[tuple[slice, "ChainOutput"]]:
    """Runs slices through the chain in batches; while one is in use, the next one is in the chain.

    Where a batch does not fit into the device's memory, batches half as large follow.

    Args:
      chain: from `load_chain`, or whatever is called the same way.
      images: [slices, size, size, channels] float32 in [−1, 1].
      batch_size: slices at once; the result does not depend on it.
      watch: is told the time of the phase `network`.

    Yields:
      Which slices, and the chain's output for them as NumPy arrays.

    Raises:
      RunError: not even one slice fits into the device's memory.
    """
    return one_ahead(_batches(chain, images, batch_size, watch or Stopwatch()))


def _batches(
    chain: Callable[[np.ndarray], "ChainOutput"], images: np.ndarray, batch_size: int, watch: Stopwatch
) -> Iterator[tuple[slice, "ChainOutput"]]:
    start = 0
    while start < len(images):
        part = images[start : start + batch_size]
        # One batch size only, so that the graph is traced once.
        padded = np.concatenate([part, np.full((batch_size - len(part), *part.shape[1:]), -1.0, np.float32)])
        try:
            with watch.phase("network"):
                output = chain(padded)
                # A server need not send all that there is.
                arrays = (None if value is None else np.asarray(value)[: len(part)] for value in output)
                output = output._make(arrays)
        except Exception as error:
            if not _out_of_memory(error):
                raise
            if batch_size == 1:
                raise RunError(
                    "the device: expected memory for one slice, found too little; free it, or hide the GPU with "
                    "CUDA_VISIBLE_DEVICES= and use the CPU"
                ) from error
            batch_size = batch_size // 2
            continue
        yield slice(start, start + len(part)), output
        start += len(part)


def _out_of_memory(error: Exception) -> bool:
    # Without TensorFlow in the process, the error is not TensorFlow's.
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(error, tensorflow.errors.ResourceExhaustedError)
