"""Whether two files hold the same voxels, in whatever order their axes run: then one is turned onto the other exactly."""

import dataclasses
import os

import numpy as np
from nibabel import orientations

from attent_tf.errors import InputError
from attent_tf.volumes.placement import corners_apart_mm, spacing_mm

# Two files may differ by this part of the smallest voxel edge, at any corner of the volume.
_TOLERANCE = 0.1

_AS_STORED = np.array([[0, 1], [1, 1], [2, 1]])


@dataclasses.dataclass(frozen=True)
class StoredGrid:
    """Where the voxels of a file lie.

    Attributes:
      path: the file that messages name.
      shape: voxels along each axis as stored.
      affine: [4, 4] float64, voxel index to millimetres in RAS+.
    """

    path: str | os.PathLike
    shape: tuple[int, int, int]
    affine: np.ndarray


def turned_onto(array: np.ndarray, moving: StoredGrid, fixed: StoredGrid) -> np.ndarray:
    """Shows an array in the axis order of another file with the same voxels; nothing is interpolated.

    Args:
      array: [i, j, k] in the stored order of `moving`.
      moving: the array's grid.
      fixed: gives the order.

    Returns:
      [i, j, k], a view of `array` in the stored order of `fixed`.

    Raises:
      InputError: as `check_same_voxels`.
    """
    return orientations.apply_orientation(array, _turn(moving, fixed))


def check_same_voxels(moving: StoredGrid, fixed: StoredGrid) -> None:
    """Checks what `turned_onto` asks for.

    Raises:
      InputError: the voxels do not lie in the same places, up to a tenth of the smallest voxel edge.
    """
    _turn(moving, fixed)


def _turn(moving: StoredGrid, fixed: StoredGrid) -> np.ndarray:
    """[3, 2] axis and sign in `fixed` of each axis of `moving`, as nibabel has it, if the voxels are the same."""
    # The axes of one in terms of the other are a permutation with signs where both have the same voxels.
    turn = orientations.io_orientation(np.linalg.inv(fixed.affine) @ moving.affine)
    if np.isnan(turn).any():
        turn = _AS_STORED
    shape = tuple(moving.shape[axis] for axis in np.argsort(turn[:, 0]))
    if shape != tuple(fixed.shape):
        raise InputError(
            moving.path,
            f"the shape {tuple(fixed.shape)} of {fixed.path}",
            shape,
            "resample the labels to their image",
        )
    turned = moving.affine @ orientations.inv_ornt_aff(turn, moving.shape)
    apart_mm = corners_apart_mm(fixed.affine, turned, shape)
    if apart_mm > _TOLERANCE * min(spacing_mm(fixed.affine)):
        raise InputError(
            moving.path,
            f"the affine of {fixed.path}",
            f"corners up to {apart_mm:.3g} mm away",
            "resample the labels to their image, or correct the header that is wrong",
        )
    return turn
