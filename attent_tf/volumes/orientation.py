"""To the canonical orientation and back, by permuting and flipping axes: nothing is interpolated.

A canonical volume is [slice, row, column] with axis codes SPL: slices run inferior to superior, rows anterior to
posterior, columns patient right to left.
"""

import dataclasses

import numpy as np
from nibabel import orientations

from attent_tf.volumes.volume import Volume

CANONICAL_CODES = "SPL"


def to_canonical(volume: Volume) -> Volume:
    """Turns a volume, its affine and its labels into canonical orientation.

    Args:
      volume: any axis order; oblique axes count as the nearest patient direction.

    Returns:
      The same scan with axis codes SPL and contiguous arrays.
    """
    transform = _from_stored(volume.affine)
    return dataclasses.replace(
        volume,
        voxels=_apply(volume.voxels, transform),
        affine=volume.affine @ orientations.inv_ornt_aff(transform, volume.shape),
        labels=None if volume.labels is None else _apply(volume.labels, transform),
    )


def from_canonical(array: np.ndarray, stored_affine: np.ndarray) -> np.ndarray:
    """Turns a canonical array back into the axis order in which the scan was stored.

    Args:
      array: [slice, row, column] or [slice, row, column, channels].
      stored_affine: [4, 4], the affine of the stored scan.

    Returns:
      [i, j, k] or [i, j, k, channels], contiguous.
    """
    canonical = orientations.axcodes2ornt(CANONICAL_CODES)
    return _apply(array, orientations.ornt_transform(canonical, orientations.io_orientation(stored_affine)))


def canonical_shape(stored_shape: tuple[int, int, int], stored_affine: np.ndarray) -> tuple[int, int, int]:
    """Number of slices, rows and columns of a stored scan in canonical orientation."""
    axes = _from_stored(stored_affine)[:, 0].astype(int)
    return tuple(int(stored_shape[stored]) for stored in np.argsort(axes))


def _from_stored(stored_affine: np.ndarray) -> np.ndarray:
    canonical = orientations.axcodes2ornt(CANONICAL_CODES)
    return orientations.ornt_transform(orientations.io_orientation(stored_affine), canonical)


def _apply(array: np.ndarray, transform: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(orientations.apply_orientation(array, transform))
