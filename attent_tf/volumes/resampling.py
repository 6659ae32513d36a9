"""Slices to records and back by banded matrices, one for each axis.

Each matrix row is a triangle filter: linear interpolation where pixels become smaller, an average over the larger pixel
where they become larger. Images, labels and probabilities all go through it; labels as the class of the largest share.
All axes are weighed together before that class is taken: to take one in the slice and another one between slices would
round twice. Where slices are those of the scan, the matrix of their axis is left out.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from attent_tf.volumes.grid import SliceGrid

# Slices are handled in blocks of about this many bytes of float32.
_BLOCK_BYTES = 8 * 2**20

# Target pixels that are made together, so that a band of the matrix is multiplied and not all of it.
_TILE = 32

# Of slices (None: they are copied), rows and columns.
_Matrices = tuple[np.ndarray | None, np.ndarray, np.ndarray]


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


def images_from_grid(images: np.ndarray, grid: SliceGrid, shape: tuple[int, int, int], fill: float) -> np.ndarray:
    """Resamples records to the canonical scan that they came from.

    Args:
      images: [grid.slices, size, size] numbers.
      grid: the grid of the case.
      shape: slices, rows and columns of the scan.
      fill: the value of voxels outside the grid.

    Returns:
      [slice, row, column] float32.
    """
    result = np.full(shape, fill, np.float32)
    paint_from_grid(images, grid, result)
    return result


def paint_from_grid(images: np.ndarray, grid: SliceGrid, canvas: np.ndarray) -> None:
    """As `images_from_grid`, onto what stands there already.

    Args:
      images: [grid.slices, size, size] numbers.
      grid: the grid of the case.
      canvas: [slice, row, column] float32 in any memory order; voxels outside the grid stay as they are.
    """
    _paint(images, _backward(grid, canvas.shape), canvas)


def labels_to_grid(labels: np.ndarray, grid: SliceGrid) -> np.ndarray:
    """Resamples class indices to the grid: linear interpolation of each class along all axes, then the largest.

    Args:
      labels: [slice, row, column] uint8 class indices.
      grid: the grid of the case.

    Returns:
      [grid.slices, size, size] uint8; background outside the scan.
    """
    return _resampled_labels(labels, _forward(labels.shape, grid), (grid.slices, grid.size, grid.size))


def labels_from_grid(labels: np.ndarray, grid: SliceGrid, shape: tuple[int, int, int]) -> np.ndarray:
    """Resamples class indices on the grid to the canonical scan that they came from.

    Args:
      labels: [grid.slices, size, size] uint8 class indices.
      grid: the grid of the case.
      shape: slices, rows and columns of the scan.

    Returns:
      [slice, row, column] uint8; background outside the grid.
    """
    return _resampled_labels(labels, _backward(grid, shape), shape)


def probabilities_from_grid(probabilities: np.ndarray, grid: SliceGrid, shape: tuple[int, int, int]) -> np.ndarray:
    """Resamples class probabilities to the canonical scan that they came from and takes the largest.

    Args:
      probabilities: [grid.slices, size, size, classes] float32.
      grid: the grid of the case.
      shape: slices, rows and columns of the scan.

    Returns:
      [slice, row, column] uint8 class indices; background outside the grid.
    """
    labels = np.zeros(shape, np.uint8)
    step = _slices_at_once(2 * max(shape[1] * shape[2], grid.size**2))
    parts = (probabilities[start : start + step] for start in range(0, len(probabilities), step))
    for part, found in probability_blocks_from_grid(parts, grid, shape):
        labels[part] = found
    return labels


def probability_blocks_from_grid(
    blocks: Iterable[np.ndarray], grid: SliceGrid, shape: tuple[int, int, int]
) -> Iterator[tuple[slice, np.ndarray]]:
    """As `probabilities_from_grid`, where probabilities come a few slices at a time.

    Args:
      blocks: arrays [slices, size, size, classes] float32, which together are the slices of the grid in their order.
      grid: the grid of the case.
      shape: slices, rows and columns of the scan.

    Yields:
      Which slices of the scan, in their order, and their [slice, row, column] uint8 class indices.
    """
    slice_matrix, row_matrix, column_matrix = _backward(grid, shape)
    if slice_matrix is None:
        start = 0
        for block in blocks:
            yield slice(start, start + len(block)), _largest(block, None, row_matrix, column_matrix)
            start += len(block)
        return
    first, last = _band(slice_matrix)
    held, held_from, done = None, 0, 0
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        ready = int(np.searchsorted(last, held_from + len(held)))
        if ready > done:
            sources = slice(first[done], last[ready - 1] + 1)
            weights = slice_matrix[done:ready, sources]
            there = held[sources.start - held_from : sources.stop - held_from]
            yield slice(done, ready), _largest(there, weights, row_matrix, column_matrix)
            done = ready
        keep_from = first[done] if done < len(first) else held_from + len(held)
        held, held_from = held[max(0, keep_from - held_from) :], max(held_from, keep_from)


def _slices_at_once(pixels: int) -> int:
    """How many slices of `pixels` float32 values make a block."""
    return max(1, _BLOCK_BYTES // (4 * max(1, pixels)))


def _forward(shape: tuple[int, ...], grid: SliceGrid) -> _Matrices:
    slices, rows, columns = shape
    return (
        None if _copies(grid, slices) else resampling_matrix(slices, grid.slices, grid.slice_origin, grid.slice_scale),
        resampling_matrix(rows, grid.size, grid.row_origin, grid.row_scale),
        resampling_matrix(columns, grid.size, grid.column_origin, grid.column_scale),
    )


def _backward(grid: SliceGrid, shape: tuple[int, ...]) -> _Matrices:
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
            sources = _used(slice_matrix[target])
            yield target, sources, np.ascontiguousarray(slice_matrix[target, sources])


def _used(matrix: np.ndarray) -> slice:
    """The range of sources that a resampling matrix takes from."""
    places = np.flatnonzero(matrix.any(axis=0))
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _band(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last source of each target, never falling; a target without sources has them after its neighbours'."""
    used = matrix != 0
    some = used.any(axis=1)
    first = np.where(some, used.argmax(axis=1), matrix.shape[1])
    last = np.where(some, matrix.shape[1] - 1 - used[:, ::-1].argmax(axis=1), -1)
    return np.minimum.accumulate(first[::-1])[::-1], np.maximum.accumulate(last)


def _product(
    images: np.ndarray, weights: np.ndarray | None, row_matrix: np.ndarray, column_matrix: np.ndarray
) -> np.ndarray:
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
        yield target, _used(matrix[target])


def _paint(
    images: np.ndarray,
    matrices: _Matrices,
    canvas: np.ndarray,
    before: Callable[[np.ndarray], np.ndarray] | None = None,
) -> None:
    """Resamples `images` onto the pixels of `canvas` that they cover."""
    slice_matrix, row_matrix, column_matrix = matrices
    covered = row_matrix.any(axis=1)[:, None] & column_matrix.any(axis=1)
    rows, columns = _used(row_matrix), _used(column_matrix)
    row_matrix, column_matrix = (
        np.ascontiguousarray(matrix[:, used]) for matrix, used in ((row_matrix, rows), (column_matrix, columns))
    )
    pixels = max(covered.size, (rows.stop - rows.start) * (columns.stop - columns.start))
    for target, sources, weights in _blocks(slice_matrix, len(canvas), pixels):
        some = images[sources, rows, columns]
        values = _product(some if before is None else before(some), weights, row_matrix, column_matrix)
        where = covered if weights is None else covered & weights.any(axis=1)[:, None, None]
        np.copyto(canvas[target], values, where=where)


def _resampled_labels(labels: np.ndarray, matrices: _Matrices, shape: tuple[int, int, int]) -> np.ndarray:
    slice_matrix, row_matrix, column_matrix = matrices
    result = np.zeros(shape, np.uint8)
    box = _box_of_organs(labels)
    if box is None:
        return result
    slices, rows, columns = box
    # Outside the box all is background, so organs alone are resampled; what they leave of a pixel is background.
    narrow_slices, target_slices = (None, slices) if slice_matrix is None else _part_of(slice_matrix, slices)
    narrow_rows, target_rows = _part_of(row_matrix, rows)
    narrow_columns, target_columns = _part_of(column_matrix, columns)
    inside = labels[box]
    covered = row_matrix[target_rows].sum(axis=1)[:, None] * column_matrix[target_columns].sum(axis=1)
    targets = target_slices.stop - target_slices.start
    for target, sources, weights in _blocks(narrow_slices, targets, 2 * max(inside[0].size, covered.size)):
        some = inside[sources]
        remainder = np.broadcast_to(covered, (target.stop - target.start, *covered.shape)).copy()
        best, chosen = np.zeros_like(remainder), np.zeros(remainder.shape, np.uint8)
        for index in (int(value) for value in np.unique(some) if value):
            values = _product(some == index, weights, narrow_rows, narrow_columns)
            remainder -= values
            larger = values > best
            chosen[larger] = index
            best[larger] = values[larger]
        chosen[best <= remainder] = 0
        first = target_slices.start
        result[first + target.start : first + target.stop, target_rows, target_columns] = chosen
    return result


def _box_of_organs(labels: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The smallest box of slices, rows and columns that holds all labels but the background; None if there are none."""
    flat = labels.any(axis=0)
    if not flat.any():
        return None
    used = (np.flatnonzero(some) for some in (labels.any(axis=(1, 2)), flat.any(axis=1), flat.any(axis=0)))
    return tuple(slice(int(places[0]), int(places[-1]) + 1) for places in used)


def _part_of(matrix: np.ndarray, sources: slice) -> tuple[np.ndarray, slice]:
    """The part of a resampling matrix that takes from `sources`, and the range of targets that it gives to."""
    narrow = matrix[:, sources]
    targets = np.flatnonzero(narrow.any(axis=1))
    if not len(targets):
        return narrow[:0], slice(0, 0)
    part = slice(int(targets[0]), int(targets[-1]) + 1)
    return np.ascontiguousarray(narrow[part]), part


def _largest(
    probabilities: np.ndarray, weights: np.ndarray | None, row_matrix: np.ndarray, column_matrix: np.ndarray
) -> np.ndarray:
    """Index of the class with the largest resampled value: the first one where they are equal, 0 where all are 0."""
    best = result = None
    for index in range(probabilities.shape[-1]):
        values = _product(probabilities[..., index], weights, row_matrix, column_matrix)
        if best is None:
            best, result = np.zeros_like(values), np.zeros(values.shape, np.uint8)
        larger = values > best
        result[larger] = index
        best[larger] = values[larger]
    return result
