"""To the canonical orientation and back, by permuting and flipping axes: nothing is interpolated, nothing is copied.

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
      The same scan with axis codes SPL; its arrays are views of the scan's, in whatever memory order that makes.
    """
    return dataclasses.replace(
        volume,
        voxels=canonical_view(volume.voxels, volume.affine),
        affine=canonical_affine(volume.shape, volume.affine),
        labels=None if volume.labels is None else canonical_view(volume.labels, volume.affine),
        placement=None,
    )


def canonical_view(array: np.ndarray, stored_affine: np.ndarray) -> np.ndarray:
    """Shows an array in stored axis order as a canonical one; what is written to the view is written to the array.

    Args:
      array: [i, j, k] or [i, j, k, channels].
      stored_affine: [4, 4], the affine of the stored scan.

    Returns:
      [slice, row, column] or [slice, row, column, channels], a view.
    """
    return orientations.apply_orientation(array, _from_stored(stored_affine))


def canonical_affine(stored_shape: tuple[int, int, int], stored_affine: np.ndarray) -> np.ndarray:
    """[4, 4] affine of the canonical volume, [slice, row, column] index to millimetres in RAS+."""
    return stored_affine @ orientations.inv_ornt_aff(_from_stored(stored_affine), stored_shape)


def canonical_shape(stored_shape: tuple[int, int, int], stored_affine: np.ndarray) -> tuple[int, int, int]:
    """Number of slices, rows and columns of a stored scan in canonical orientation."""
    axes = _from_stored(stored_affine)[:, 0].astype(int)
    return tuple(int(stored_shape[stored]) for stored in np.argsort(axes))


def _from_stored(stored_affine: np.ndarray) -> np.ndarray:
    canonical = orientations.axcodes2ornt(CANONICAL_CODES)
    return orientations.ornt_transform(orientations.io_orientation(stored_affine), canonical)
