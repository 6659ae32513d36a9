"""Slices of a records folder in memory, at the size that the networks take."""

import dataclasses
import os

import numpy as np

from attent_tf.data.manifest import Manifest
from attent_tf.data.reader import read_records
from attent_tf.errors import ConfigError, RecordsError
from attent_tf.organs import NUM_CLASSES


@dataclasses.dataclass(frozen=True, eq=False)
class SliceArrays:
    """All slices of one domain and split.

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
      domain: `mri` or `ct`.
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
    images = np.empty((count, size, size, _channels(cases, str(folder))), np.float32)
    truths = np.empty((count, size, size), np.uint8) if labels else None
    for i, record in enumerate(read_records(folder, manifest, domain, split)):
        images[i] = average_down(record.channels, size)
        if truths is not None:
            if record.label is None:
                raise RecordsError(
                    f"{folder}: {record.case} has no labels, and this method learns from labels of {domain}; "
                    "choose the other direction or preprocess with labels"
                )
            truths[i] = majority_down(record.label, size)
    return SliceArrays(images, truths)


def average_down(image: np.ndarray, size: int) -> np.ndarray:
    """Averages square blocks of `image` [rows, columns, …] to [size, size, …]; the inverse grid has the same centre."""
    return _blocks(image, size).mean(axis=(1, 3), dtype=np.float32)


def majority_down(labels: np.ndarray, size: int) -> np.ndarray:
    """Takes the most frequent class of square blocks of `labels` [rows, columns]; of equals, the lowest index."""
    if labels.shape[0] == size:
        return labels
    blocks = _blocks(labels, size)
    votes = np.stack([(blocks == index).sum(axis=(1, 3)) for index in range(NUM_CLASSES)])
    return votes.argmax(axis=0).astype(np.uint8)


def _channels(cases, folder):
    found = {case.geometry.channels for case in cases}
    if len(found) > 1:
        raise RecordsError(f"{folder}: expected one number of channels, found {sorted(found)}; preprocess again")
    return found.pop() if found else 1


def _blocks(array, size):
    edge = array.shape[0]
    if edge % size:
        raise ConfigError(
            f"configuration key data.image_size: expected a divisor of the records' {edge}; received {size}"
        )
    factor = edge // size
    return array.reshape(size, factor, size, factor, *array.shape[2:])
