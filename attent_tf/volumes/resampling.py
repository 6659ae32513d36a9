"""Slices to records and back by a pair of banded matrices, one for rows and one for columns.

Each matrix row is a triangle filter: linear interpolation where pixels become smaller, an average over the larger pixel
where they become larger. Images, labels and probabilities all go through it; labels as the class of the largest share.
"""

from collections.abc import Iterator

import numpy as np

from attent_tf.volumes.grid import SliceGrid

# Slices are handled in blocks of about this many bytes of float32.
_BLOCK_BYTES = 32 * 2**20


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


def images_to_grid(images: np.ndarray, grid: SliceGrid, fill: float) -> np.ndarray:
    """Resamples slices to the grid.

    Args:
      images: [slice, row, column] numbers.
      grid: the grid of the case.
      fill: the value of record pixels outside the slice.

    Returns:
      [slice, size, size] float32.
    """
    return _resampled(images, *_forward(images.shape, grid), fill)


def images_from_grid(images: np.ndarray, grid: SliceGrid, rows: int, columns: int, fill: float) -> np.ndarray:
    """Resamples records to the slices they came from.

    Args:
      images: [slice, size, size] numbers.
      grid: the grid of the case.
      rows: rows of a slice.
      columns: columns of a slice.
      fill: the value of slice pixels outside the grid.

    Returns:
      [slice, rows, columns] float32.
    """
    return _resampled(images, *_backward(grid, rows, columns), fill)


def labels_to_grid(labels: np.ndarray, grid: SliceGrid) -> np.ndarray:
    """Resamples class indices to the grid: linear interpolation of each class, then the largest.

    Args:
      labels: [slice, row, column] uint8 class indices.
      grid: the grid of the case.

    Returns:
      [slice, size, size] uint8; background outside the slice.
    """
    return _resampled_labels(labels, *_forward(labels.shape, grid))


def labels_from_grid(labels: np.ndarray, grid: SliceGrid, rows: int, columns: int) -> np.ndarray:
    """Resamples class indices on the grid to the slices they came from.

    Args:
      labels: [slice, size, size] uint8 class indices.
      grid: the grid of the case.
      rows: rows of a slice.
      columns: columns of a slice.

    Returns:
      [slice, rows, columns] uint8; background outside the grid.
    """
    return _resampled_labels(labels, *_backward(grid, rows, columns))


def probabilities_from_grid(probabilities: np.ndarray, grid: SliceGrid, rows: int, columns: int) -> np.ndarray:
    """Resamples class probabilities to the slices they came from and takes the largest.

    Args:
      probabilities: [slice, size, size, classes] float32.
      grid: the grid of the case.
      rows: rows of a slice.
      columns: columns of a slice.

    Returns:
      [slice, rows, columns] uint8 class indices; background outside the grid.
    """
    row_matrix, column_matrix = _backward(grid, rows, columns)
    labels = np.empty((len(probabilities), rows, columns), np.uint8)
    for block in slice_blocks(len(probabilities), 2 * max(rows * columns, grid.size**2)):
        channels = ((index, probabilities[block, :, :, index]) for index in range(probabilities.shape[-1]))
        labels[block] = _largest(channels, row_matrix, column_matrix)
    return labels


def inside_grid(grid: SliceGrid, rows: int, columns: int) -> np.ndarray:
    """Which pixels of a slice the grid covers: [rows, columns] bool."""
    return _covered(*_backward(grid, rows, columns))


def slice_blocks(slices: int, pixels: int) -> Iterator[slice]:
    """Ranges of slices, each of about 32 MiB where a slice has `pixels` float32 values."""
    step = max(1, _BLOCK_BYTES // (4 * max(1, pixels)))
    for start in range(0, slices, step):
        yield slice(start, min(start + step, slices))


def _forward(shape: tuple[int, ...], grid: SliceGrid) -> tuple[np.ndarray, np.ndarray]:
    _, rows, columns = shape
    return (
        resampling_matrix(rows, grid.size, grid.row_origin, grid.row_scale),
        resampling_matrix(columns, grid.size, grid.column_origin, grid.column_scale),
    )


def _backward(grid: SliceGrid, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    # record_pixel = (source_pixel − origin) / scale
    return (
        resampling_matrix(grid.size, rows, -grid.row_origin / grid.row_scale, 1 / grid.row_scale),
        resampling_matrix(grid.size, columns, -grid.column_origin / grid.column_scale, 1 / grid.column_scale),
    )


def _covered(row_matrix: np.ndarray, column_matrix: np.ndarray) -> np.ndarray:
    return row_matrix.any(axis=1)[:, None] & column_matrix.any(axis=1)[None, :]


def _product(images: np.ndarray, row_matrix: np.ndarray, column_matrix: np.ndarray) -> np.ndarray:
    images = np.ascontiguousarray(images, np.float32)
    count, rows, columns = images.shape
    narrowed = (images.reshape(count * rows, columns) @ column_matrix.T).reshape(count, rows, -1)
    return row_matrix @ narrowed


def _resampled(images: np.ndarray, row_matrix: np.ndarray, column_matrix: np.ndarray, fill: float) -> np.ndarray:
    covered = _covered(row_matrix, column_matrix)
    result = np.empty((len(images), *covered.shape), np.float32)
    for block in slice_blocks(len(images), max(images[0].size, covered.size) if len(images) else 1):
        result[block] = _product(images[block], row_matrix, column_matrix)
        result[block, ~covered] = fill
    return result


def _resampled_labels(labels: np.ndarray, row_matrix: np.ndarray, column_matrix: np.ndarray) -> np.ndarray:
    result = np.zeros((len(labels), len(row_matrix), len(column_matrix)), np.uint8)
    box = _box_of_organs(labels)
    if box is None:
        return result
    slices, rows, columns = box
    # Outside the box all is background, so organs alone are resampled; what they leave of a pixel is background.
    narrow_rows, target_rows = _part_of(row_matrix, rows)
    narrow_columns, target_columns = _part_of(column_matrix, columns)
    inside = labels[:, rows, columns]
    covered = row_matrix[target_rows].sum(axis=1)[:, None] * column_matrix[target_columns].sum(axis=1)
    step = max(1, _BLOCK_BYTES // (8 * max(inside[0].size, covered.size)))
    for start in range(slices.start, slices.stop, step):
        block = slice(start, min(start + step, slices.stop))
        organs = [int(index) for index in np.unique(inside[block]) if index]
        remainder = np.broadcast_to(covered, (block.stop - block.start, *covered.shape)).copy()
        best, chosen = np.zeros_like(remainder), np.zeros(remainder.shape, np.uint8)
        for index in organs:
            values = _product(inside[block] == index, narrow_rows, narrow_columns)
            remainder -= values
            larger = values > best
            chosen[larger] = index
            best[larger] = values[larger]
        chosen[best <= remainder] = 0
        result[block, target_rows, target_columns] = chosen
    return result


def _box_of_organs(labels: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The smallest box of slices, rows and columns that holds all labels but the background; None if there are none."""
    if not labels.any():
        return None
    used = (np.flatnonzero(labels.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
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
    channels: Iterator[tuple[int, np.ndarray]], row_matrix: np.ndarray, column_matrix: np.ndarray
) -> np.ndarray:
    """Index of the class with the largest resampled value: the first one where they are equal, 0 where all are 0."""
    best = result = None
    for index, channel in channels:
        values = _product(channel, row_matrix, column_matrix)
        if best is None:
            best, result = np.zeros_like(values), np.zeros(values.shape, np.uint8)
        larger = values > best
        result[larger] = index
        best[larger] = values[larger]
    return result
