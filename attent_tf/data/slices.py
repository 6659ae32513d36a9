"""Slices of a records folder in memory, at the size that the networks take."""

import dataclasses
import math
import os
import tempfile

import numpy as np

from attent_tf.data.manifest import Manifest
from attent_tf.data.reader import read_records
from attent_tf.errors import ConfigError, RecordsError

# Share of the free memory that one array may take; there are several, and copies on the way to the device.
_LARGEST_SHARE = 0.2


@dataclasses.dataclass(frozen=True, eq=False)
class SliceArrays:
    """All slices of one domain and split, in memory, or where they are too many, in temporary files mapped into it.

    Attributes:
      images: [slices, size, size, channels] float32 in [−1, 1]; the slice itself is the middle channel.
      labels: [slices, size, size] uint8 class indices, or None where they were not asked for.
    """

    images: np.ndarray
    labels: np.ndarray | None

    def __len__(self) -> int:
        return len(self.images)


def load_slices(
    folder: str | os.PathLike, manifest: Manifest, domain: str, split: str, size: int, labels: bool
) -> SliceArrays:
    """Reads the slices of one domain and split and averages them down to `size`.

    Args:
      folder: a records folder.
      manifest: its manifest.
      domain: name of a domain of its task.
      split: `train` or `test`.
      size: edge in pixels; divides the records' edge.
      labels: whether labels are wanted. Without, they are dropped as they are read.

    Returns:
      The slices, in the order of the manifest.

    Raises:
      RecordsError: no such case, a damaged record, cases with different channels, or labels are wanted of a case that
        has none.
      ConfigError: `size` does not divide the records' edge.
    """
    cases = manifest.select(domain, split)
    count = sum(case.slices for case in cases)
    images = allocate((count, size, size, _channels(cases, str(folder))), np.float32)
    truths = allocate((count, size, size), np.uint8) if labels else None
    for i, record in enumerate(read_records(folder, manifest, domain, split)):
        images[i] = average_down(record.channels, size)
        if truths is not None:
            if record.label is None:
                raise RecordsError(
                    f"{folder}: {record.case} has no labels, and this method learns from labels of {domain}; "
                    "choose the other direction or preprocess with labels"
                )
            truths[i] = majority_down(record.label, size, manifest.task.num_classes)
    return SliceArrays(images, truths)


def allocate(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Makes an array that is not filled yet: in memory where there is room, or else a `np.memmap` of a temporary file.

    The file lies in `TMPDIR` and is gone with the array.

    Args:
      shape: the shape of the array.
      dtype: the type of its elements.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= _LARGEST_SHARE * _free_bytes():
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, dtype, "w+", shape=shape)


def average_down(image: np.ndarray, size: int) -> np.ndarray:
    """Averages square blocks of `image` [rows, columns, …] to [size, size, …]; the inverse grid has the same centre."""
    return _blocks(image, size).mean(axis=(1, 3), dtype=np.float32)


def majority_down(labels: np.ndarray, size: int, num_classes: int) -> np.ndarray:
    """Takes the most frequent class of square blocks of `labels` [rows, columns]; of equals, the lowest index."""
    if labels.shape[0] == size:
        return labels
    blocks = _blocks(labels, size)
    votes = np.stack([(blocks == index).sum(axis=(1, 3)) for index in range(num_classes)])
    return votes.argmax(axis=0).astype(np.uint8)


def _free_bytes():
    """Memory that can be had without swapping, as Linux says; elsewhere it is not looked for."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return math.inf


def _channels(cases, folder):
    found = {case.geometry.channels for case in cases}
    if len(found) > 1:
        raise RecordsError(f"{folder}: expected one number of channels, found {sorted(found)}; preprocess again")
    return found.pop() if found else 1


def _blocks(array, size):
    edge = array.shape[0]
    if edge % size:
        raise ConfigError(f"configuration key data.image_size: expected a divisor of the records' {edge}, found {size}")
    factor = edge // size
    return array.reshape(size, factor, size, factor, *array.shape[2:])
