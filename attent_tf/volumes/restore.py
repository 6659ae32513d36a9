"""A network's answer brought back from the record grid to the scan's own voxels."""

import numpy as np

from attent_tf.volumes import resampling
from attent_tf.volumes.blocks_from_grid import probabilities_from_grid
from attent_tf.volumes.case_geometry import CaseGeometry
from attent_tf.volumes.orientation import canonical_view, from_canonical


def restore_labels(labels_on_grid: np.ndarray, geometry: CaseGeometry) -> np.ndarray:
    """Brings class indices back to the voxels of the scan.

    Args:
      labels_on_grid: [slice, size, size] class indices, one slice for each prepared slice of the scan.
      geometry: from `prepare`.

    Returns:
      [i, j, k] uint8 in stored order; background outside the grid.
    """
    _check_shape(labels_on_grid, geometry)
    labels = resampling.labels_from_grid(labels_on_grid, geometry.grid, geometry.canonical_shape)
    return from_canonical(labels, geometry.affine)


def restore_label_probabilities(probabilities_on_grid: np.ndarray, geometry: CaseGeometry) -> np.ndarray:
    """Brings probabilities back to the voxels of the scan and takes the most probable class there.

    Args:
      probabilities_on_grid: [slice, size, size, classes] float32.
      geometry: from `prepare`.

    Returns:
      [i, j, k] uint8 class indices in stored order; background outside the grid.
    """
    _check_shape(probabilities_on_grid, geometry)
    labels = probabilities_from_grid(probabilities_on_grid, geometry.grid, geometry.canonical_shape)
    return from_canonical(labels, geometry.affine)


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
        raise ValueError(f"Argument must have shape {expected} on the grid of this case. Received: {array.shape}")
