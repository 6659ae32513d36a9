"""Files in the form of SIFA's published data: slices of 256 × 256 with their neighbours, and test volumes."""

from pathlib import Path

import numpy as np

from attent_tf.tfrecord import example
from attent_tf.tfrecord.framing import frame

EDGE = 256
# As in SIFA's files.
MYOCARDIUM, LEFT_ATRIUM, LEFT_VENTRICLE, AORTA = 1, 2, 3, 4
# Standing towards low rows and columns of a slice as the network is shown it.
CORNERS = {MYOCARDIUM: (40, 40), LEFT_ATRIUM: (40, 150), LEFT_VENTRICLE: (150, 40), AORTA: (150, 150)}
_SIDE = 24


def drawn_slices(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """[row, column, slice] float32 of mean about 0 and whole labels of some slices, as SIFA's network is shown them."""
    rng = np.random.default_rng(seed)
    voxels = rng.normal(-0.5, 0.1, (EDGE, EDGE, count)).astype(np.float32)
    labels = np.zeros(voxels.shape, np.float32)
    for number, (row, column) in CORNERS.items():
        block = slice(row, row + _SIDE), slice(column, column + _SIDE)
        labels[block], voxels[block] = number, 0.5 * number
    return voxels, labels


def slice_features(voxels: np.ndarray, labels: np.ndarray) -> dict[str, bytes | int]:
    """Features of a file of one slice, from [row, column, slice] arrays."""
    features: dict[str, bytes | int] = {
        "data_vol": np.ascontiguousarray(voxels, "<f4").tobytes(),
        "label_vol": np.ascontiguousarray(labels, "<f4").tobytes(),
    }
    for letter, array in (("d", voxels), ("l", labels)):
        features |= {f"{letter}size_dim{axis}": size for axis, size in enumerate(array.shape)}
    return features


def write_slice(path: Path, voxels: np.ndarray, labels: np.ndarray, **changed) -> Path:
    """Writes a file of one slice; of `changed` features that are None are left out."""
    features = {name: value for name, value in (slice_features(voxels, labels) | changed).items() if value is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(frame(example.pack(features)))
    return path


def write_volume(path: Path, voxels: np.ndarray, labels: np.ndarray) -> Path:
    """Writes a test volume, turned by half a turn against what the network is shown."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, voxels[::-1, ::-1], labels[::-1, ::-1])
    return path


def write_domain(root: Path, modality: str, slices: int, volumes: int, seed: int = 0) -> None:
    """Writes training slices, one of validation, and test volumes of three slices as they lie in SIFA's data.

    Args:
      root: of both modalities.
      modality: `ct` or `mr`.
      slices: number of training slices.
      volumes: number of test volumes.
      seed: of what is drawn.
    """
    for number in range(slices):
        write_slice(
            root / f"{modality}_train_tfs" / f"{modality}_train_slice{number}.tfrecords",
            *drawn_slices(3, seed + number),
        )
    write_slice(root / f"{modality}_val_tfs" / f"{modality}_val_slice0.tfrecords", *drawn_slices(3, seed + 90))
    for number in range(volumes):
        write_volume(root / f"test_{modality}" / f"{1003 + number}.npz", *drawn_slices(3, seed + 100 + number))
