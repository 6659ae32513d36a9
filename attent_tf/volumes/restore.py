"""Images brought back from the record grid to the scan's own voxels."""

import numpy as np

from attent_tf.volumes import resampling
from attent_tf.volumes.case_geometry import CaseGeometry
from attent_tf.volumes.orientation import canonical_view


def restore_image(images_on_grid: np.ndarray, geometry: CaseGeometry, voxels_outside: np.ndarray | float) -> np.ndarray:
    """Brings images back to the voxels of the scan; their values are not rescaled.

    Args:
      images_on_grid: [slice, size, size] values of any unit.
      geometry: from `prepare`.
      voxels_outside: what stands outside the grid, one value or [i, j, k] in stored order.

    Returns:
      [i, j, k] float32 in stored order.
    """
    _check_shape(images_on_grid, geometry)
    restored = np.empty(geometry.stored_shape, np.float32)
    restored[...] = voxels_outside
    resampling.paint_from_grid(images_on_grid, geometry.grid, canonical_view(restored, geometry.affine))
    return restored


def _check_shape(array: np.ndarray, geometry: CaseGeometry) -> None:
    grid = geometry.grid
    expected = (grid.slices, grid.size, grid.size)
    if array.shape[:3] != expected:
        raise ValueError(f"Argument must have shape {expected} on the grid of this case. Found: {array.shape}")
