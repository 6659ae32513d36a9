"""Images and labels of the record grid brought back to the scan, whole, by the same blocks as a network's answers."""

import numpy as np

from attent_tf.volumes import CaseGeometry, SliceGrid
from attent_tf.volumes.blocks_from_grid import probability_blocks_from_grid
from attent_tf.volumes.orientation import canonical_view
from attent_tf.volumes.resampling import paint_from_grid
from tests.support.abdomen import NUM_CLASSES


def images_from_grid(images: np.ndarray, grid: SliceGrid, shape: tuple[int, int, int], fill: float) -> np.ndarray:
    """Returns [slice, row, column] float32 of [grid.slices, size, size] images; `fill` outside the grid."""
    result = np.full(shape, fill, np.float32)
    paint_from_grid(images, grid, result)
    return result


def probabilities_from_grid(probabilities: np.ndarray, grid: SliceGrid, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns [slice, row, column] class indices of [grid.slices, size, size, classes] probabilities."""
    labels = np.zeros(shape, np.uint8)
    for part, found in probability_blocks_from_grid([probabilities], grid, shape):
        labels[part] = found
    return labels


def labels_from_grid(labels: np.ndarray, grid: SliceGrid, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns [slice, row, column] class indices of [grid.slices, size, size] labels, of which each is certain."""
    return probabilities_from_grid(np.eye(NUM_CLASSES, dtype=np.float32)[labels], grid, shape)


def restore_labels(labels: np.ndarray, geometry: CaseGeometry) -> np.ndarray:
    """Returns [i, j, k] class indices, in stored order, of the labels of a prepared case."""
    stored = np.empty(geometry.stored_shape, np.uint8)
    canonical_view(stored, geometry.affine)[...] = labels_from_grid(labels, geometry.grid, geometry.canonical_shape)
    return stored
