"""Slices to records and back by banded matrices, one for each axis.

Each matrix row is a triangle filter: linear interpolation where pixels become smaller, an average over the larger pixel
where they become larger. Images, labels and probabilities all go through it; labels as the class of the largest share.
All axes are weighed together before that class is taken: to take one in the slice and another one between slices would
round twice. Where slices are those of the scan, the matrix of their axis is left out. Probabilities, which come from a network a
few slices at a time, are in `blocks_from_grid.py`.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np

from attent_tf.volumes.grid import SliceGrid

# Slices are handled in blocks of about this many bytes of float32.
_BLOCK_BYTES = 8 * 2**20

# Target pixels that are made together, so that a band of the matrix is multiplied and not all of it.
_TILE = 32

# Of slices (None: they are copied), rows and columns.
Matrices = tuple[np.ndarray | None, np.ndarray, np.ndarray]


def resampling_matrix(source_size: int, target_size: int, origin: float, scale: float) -> np.ndarray:
    """Weights with which source pixels make up target pixels, along one axis.

    Target pixel t lies at x = origin + scale * t in source pixels. Source pixel s weighs max(0, 1 − |s − x| / support)
    with support = max(1, |scale|), and each row sums to 1.

    Args:
      source_size: number of source pixels.
      target_size: number of target pixels.
      origin: source pixel under the centre of target pixel 0.
      scale: source pixels per target pixel.

    Returns:
      [target, source] float32; the row of a target pixel whose centre lies outside the source field is 0.
    """
    position = origin + scale * np.arange(target_size, dtype=np.float64)
    distance = np.abs(np.arange(source_size)[None, :] - position[:, None])
    weights = np.maximum(0.0, 1.0 - distance / max(1.0, abs(scale)))
    weights[(position < -0.5) | (position > source_size - 0.5)] = 0.0
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).astype(np.float32)


def images_to_grid(
    images: np.ndarray, grid: SliceGrid, fill: float, before: Callable[[np.ndarray], np.ndarray] | None = None
) -> np.ndarray:
    """Resamples a canonical scan to the grid.

    Args:
      images: [slice, row, column] numbers of any type, in any memory order.
      grid: the grid of the case.
      fill: the value of record pixels outside the scan.
      before: applied to a few slices at a time, cut to what the grid sees, before they are resampled.

    Returns:
      [grid.slices, size, size] float32.
    """
    result = np.full((grid.slices, grid.size, grid.size), fill, np.float32)
    _paint(images, _forward(images.shape, grid), result, before)
    return result


def paint_from_grid(images: np.ndarray, grid: SliceGrid, canvas: np.ndarray) -> None:
    """Resamples records to the canonical scan that they came from, onto what stands there already.

    Args:
      images: [grid.slices, size, size] numbers.
      grid: the grid of the case.
      canvas: [slice, row, column] float32 in any memory order; voxels outside the grid stay as they are.
    """
    _paint(images, matrices_from_grid(grid, canvas.shape), canvas)


def labels_to_grid(labels: np.ndarray, grid: SliceGrid) -> np.ndarray:
    """Resamples class indices to the grid: linear interpolation of each class along all axes, then the largest.

    Args:
      labels: [slice, row, column] uint8 class indices.
      grid: the grid of the case.

    Returns:
      [grid.slices, size, size] uint8; background outside the scan.
    """
    return _resampled_labels(labels, _forward(labels.shape, grid), (grid.slices, grid.size, grid.size))


def _slices_at_once(pixels: int) -> int:
    """How many slices of `pixels` float32 values make a block."""
    return max(1, _BLOCK_BYTES // (4 * max(1, pixels)))


def _forward(shape: tuple[int, ...], grid: SliceGrid) -> Matrices:
    slices, rows, columns = shape
    return (
        None if _copies(grid, slices) else resampling_matrix(slices, grid.slices, grid.slice_origin, grid.slice_scale),
        resampling_matrix(rows, grid.size, grid.row_origin, grid.row_scale),
        resampling_matrix(columns, grid.size, grid.column_origin, grid.column_scale),
    )


def matrices_from_grid(grid: SliceGrid, shape: tuple[int, ...]) -> Matrices:
    """Returns the weights that bring the slices of a grid to those of a canonical scan of `shape`."""
    slices, rows, columns = shape

    def inverse(source_size: int, target_size: int, origin: float, scale: float) -> np.ndarray:
        # record_pixel = (source_pixel − origin) / scale
        return resampling_matrix(source_size, target_size, -origin / scale, 1 / scale)

    return (
        None if _copies(grid, slices) else inverse(grid.slices, slices, grid.slice_origin, grid.slice_scale),
        inverse(grid.size, rows, grid.row_origin, grid.row_scale),
        inverse(grid.size, columns, grid.column_origin, grid.column_scale),
    )


def _copies(grid: SliceGrid, slices: int) -> bool:
    return (grid.slices, grid.slice_origin, grid.slice_scale) == (slices, 0.0, 1.0)


def _blocks(
    slice_matrix: np.ndarray | None, targets: int, pixels: int
) -> Iterator[tuple[slice, slice, np.ndarray | None]]:
    """Blocks of target slices: which, out of which sources, and with which weights."""
    if slice_matrix is not None:
        # Sources stand in memory too, and there may be more of them than targets.
        pixels *= max(1, math.ceil(slice_matrix.shape[1] / max(1, targets)))
    step = _slices_at_once(pixels)
    for start in range(0, targets, step):
        target = slice(start, min(start + step, targets))
        if slice_matrix is None:
            yield target, target, None
        else:
            sources = used_sources(slice_matrix[target])
            yield target, sources, np.ascontiguousarray(slice_matrix[target, sources])


def used_sources(matrix: np.ndarray) -> slice:
    """The range of sources that a resampling matrix takes from."""
    places = np.flatnonzero(matrix.any(axis=0))
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def weighted(
    images: np.ndarray, weights: np.ndarray | None, row_matrix: np.ndarray, column_matrix: np.ndarray
) -> np.ndarray:
    """Resamples [slice, row, column] numbers along all axes; slices are copied where `weights` is None."""
    images = np.ascontiguousarray(images, np.float32)
    if weights is not None:
        images = (weights @ images.reshape(len(images), -1)).reshape(len(weights), *images.shape[1:])
    count, rows, columns = images.shape
    narrowed = np.empty((count * rows, len(column_matrix)), np.float32)
    for target, sources in _tiles(column_matrix):
        narrowed[:, target] = images.reshape(-1, columns)[:, sources] @ column_matrix[target, sources].T
    narrowed = narrowed.reshape(count, rows, -1)
    result = np.empty((count, len(row_matrix), len(column_matrix)), np.float32)
    for target, sources in _tiles(row_matrix):
        result[:, target] = row_matrix[target, sources] @ narrowed[:, sources]
    return result


def _tiles(matrix: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Runs of targets and the sources of each: the rest of a banded matrix is zeros."""
    for start in range(0, len(matrix), _TILE):
        target = slice(start, start + _TILE)
        yield target, used_sources(matrix[target])


def _paint(
    images: np.ndarray,
    matrices: Matrices,
    canvas: np.ndarray,
    before: Callable[[np.ndarray], np.ndarray] | None = None,
) -> None:
    """Resamples `images` onto the pixels of `canvas` that they cover."""
    slice_matrix, row_matrix, column_matrix = matrices
    covered = row_matrix.any(axis=1)[:, None] & column_matrix.any(axis=1)
    rows, columns = used_sources(row_matrix), used_sources(column_matrix)
    row_matrix, column_matrix = (
        np.ascontiguousarray(matrix[:, used]) for matrix, used in ((row_matrix, rows), (column_matrix, columns))
    )
    pixels = max(covered.size, (rows.stop - rows.start) * (columns.stop - columns.start))
    for target, sources, weights in _blocks(slice_matrix, len(canvas), pixels):
        block = images[sources, rows, columns]
        values = weighted(block if before is None else before(block), weights, row_matrix, column_matrix)
        inside = covered if weights is None else covered & weights.any(axis=1)[:, None, None]
        np.copyto(canvas[target], values, where=inside)


def _resampled_labels(labels: np.ndarray, matrices: Matrices, shape: tuple[int, int, int]) -> np.ndarray:
    slice_matrix, row_matrix, column_matrix = matrices
    result = np.zeros(shape, np.uint8)
    box = _box_of_structures(labels)
    if box is None:
        return result
    slices, rows, columns = box
    # Outside the box all is background, so structures alone are resampled; what they leave of a pixel is background.
    narrow_slices, target_slices = (None, slices) if slice_matrix is None else part_of(slice_matrix, slices)
    narrow_rows, target_rows = part_of(row_matrix, rows)
    narrow_columns, target_columns = part_of(column_matrix, columns)
    inside = labels[box]
    covered = row_matrix[target_rows].sum(axis=1)[:, None] * column_matrix[target_columns].sum(axis=1)
    targets = target_slices.stop - target_slices.start
    for target, sources, weights in _blocks(narrow_slices, targets, 2 * max(inside[0].size, covered.size)):
        block = inside[sources]
        remainder = np.broadcast_to(covered, (target.stop - target.start, *covered.shape)).copy()
        best, chosen = np.zeros_like(remainder), np.zeros(remainder.shape, np.uint8)
        for index in (int(value) for value in np.unique(block) if value):
            values = weighted(block == index, weights, narrow_rows, narrow_columns)
            remainder -= values
            larger = values > best
            chosen[larger] = index
            best[larger] = values[larger]
        chosen[best <= remainder] = 0
        first = target_slices.start
        result[first + target.start : first + target.stop, target_rows, target_columns] = chosen
    return result


def _box_of_structures(labels: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The smallest box of slices, rows and columns that holds all labels but the background; None if there are none."""
    flat = labels.any(axis=0)
    if not flat.any():
        return None
    used = (np.flatnonzero(occupied) for occupied in (labels.any(axis=(1, 2)), flat.any(axis=1), flat.any(axis=0)))
    return tuple(slice(int(places[0]), int(places[-1]) + 1) for places in used)


def part_of(matrix: np.ndarray, sources: slice) -> tuple[np.ndarray, slice]:
    """The part of a resampling matrix that takes from `sources`, and the range of targets that it gives to."""
    narrow = matrix[:, sources]
    targets = np.flatnonzero(narrow.any(axis=1))
    if not len(targets):
        return narrow[:0], slice(0, 0)
    part = slice(int(targets[0]), int(targets[-1]) + 1)
    return np.ascontiguousarray(narrow[part]), part
