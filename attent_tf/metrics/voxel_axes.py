"""The steps from voxel to voxel: three distances where the axes are perpendicular, three vectors where they are not.

A scan with a tilted gantry, or with a sheared affine, has axes that are not perpendicular. Such a grid has the same
neighbours, but distances between voxels and the volume of a voxel are not those of a box.
"""

from collections.abc import Sequence

import numpy as np

from attent_tf.errors import InputError

# [slice, row, column] distances of neighbouring voxel centres in millimetres; or [3, 3], the step along each as a column.
Spacing = Sequence[float] | np.ndarray


def checked_spacing(spacing_mm: Spacing, rank: int) -> tuple[float, ...]:
    """Returns distances along perpendicular axes as floats.

    Raises:
      InputError: there is not one positive number for each of `rank` axes.
    """
    spacing = tuple(float(step) for step in spacing_mm)
    if len(spacing) != rank or not all(np.isfinite(step) and step > 0 for step in spacing):
        raise InputError(f"spacing_mm: expected {rank} positive numbers, one for each axis, found {spacing}")
    return spacing


def checked_axes(spacing_mm: Spacing | None, rank: int) -> np.ndarray:
    """Returns [n, rank] float64, the step along each axis as a column; unit steps at right angles for None.

    Raises:
      InputError: `spacing_mm` is neither a positive distance nor a vector for each of `rank` axes, or the axes lie in a plane.
    """
    if spacing_mm is None:
        return np.eye(rank)
    if np.ndim(spacing_mm) < 2:
        return np.diag(np.array(checked_spacing(spacing_mm, rank)))
    axes = np.asarray(spacing_mm, np.float64)
    if axes.shape[1] != rank or not np.isfinite(axes).all() or np.linalg.matrix_rank(axes) < rank:
        raise InputError(f"spacing_mm: expected {rank} columns, one step in space for each axis, found {axes.tolist()}")
    return axes


def in_plane(spacing_mm: Spacing) -> Spacing:
    """Returns the steps along rows and columns, without that along slices."""
    return spacing_mm[1:] if np.ndim(spacing_mm) < 2 else np.asarray(spacing_mm)[:, 1:]


def voxel_mm3(spacing_mm: Spacing) -> float:
    """Returns the volume of a voxel in cubic millimetres."""
    return float(np.prod(spacing_mm) if np.ndim(spacing_mm) < 2 else abs(np.linalg.det(spacing_mm)))
