"""What a network says of prepared slices, brought to the scan's own voxels while the network still works.

Probabilities of a whole CT would take many times the memory of the scan. So they come a few slices at a time, each block is
resampled as soon as all slices that it takes from are there, and only what is made of it (labels, a map) is kept.
"""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from attent_tf.volumes.grid import SliceGrid
from attent_tf.volumes.resampling import matrices_from_grid, part_of, used_sources, weighted


@dataclasses.dataclass(frozen=True)
class BlockFromGrid:
    """Some slices of a canonical scan, and the slices of the grid that they are made of.

    Attributes:
      part: which slices of the scan.
      sources: [source, size, size, channels] float32 slices of the grid.
      weights: [slice, source] float32, or None where each slice is made of one source.
      row_matrix, column_matrix: [row, size] and [column, size] float32 weights within the slice.
    """

    part: slice
    sources: np.ndarray
    weights: np.ndarray | None
    row_matrix: np.ndarray
    column_matrix: np.ndarray

    def values(self, channel: int) -> np.ndarray:
        """Returns [slice, row, column] float32 values of a channel; 0 outside the grid."""
        return weighted(self.sources[..., channel], self.weights, self.row_matrix, self.column_matrix)

    def largest(self, channels: int | None = None) -> np.ndarray:
        """Returns which of the first `channels` (all if None) is largest on each voxel.

        Weights are never negative, so a channel can exceed channel 0, the background, only where it takes from a pixel in
        which it does so. Outside the box of these pixels nothing is resampled.

        Returns:
          [slice, row, column] uint8: the first channel where they are equal, 0 outside the grid.
        """
        channels = self.sources.shape[-1] if channels is None else channels
        count = len(self.sources if self.weights is None else self.weights)
        result = np.zeros((count, len(self.row_matrix), len(self.column_matrix)), np.uint8)
        boxes = {index: box for index in range(1, channels) if (box := self._box(index)) is not None}
        if not boxes:
            return result
        best = np.zeros(result.shape, np.float32)
        rows, columns = (
            slice(min(box[axis].start for box in boxes.values()), max(box[axis].stop for box in boxes.values()))
            for axis in (0, 1)
        )
        best[:, rows, columns] = self._values_in(0, (rows, columns))
        for index, box in boxes.items():
            values = self._values_in(index, box)
            best_here, result_here = best[:, *box], result[:, *box]
            larger = values > best_here
            np.copyto(best_here, values, where=larger)
            result_here[larger] = index
        return result

    def _box(self, channel: int) -> tuple[slice, slice] | None:
        """Rows and columns of the scan on which a channel can exceed channel 0."""
        ahead = (self.sources[..., channel] > self.sources[..., 0]).any(axis=0)
        if not ahead.any():
            return None
        _, rows = part_of(self.row_matrix, _extent(ahead.any(axis=1)))
        _, columns = part_of(self.column_matrix, _extent(ahead.any(axis=0)))
        # The pixels may lie beyond the scan.
        return (rows, columns) if rows.stop > rows.start and columns.stop > columns.start else None

    def _values_in(self, channel: int, box: tuple[slice, slice]) -> np.ndarray:
        row_matrix, column_matrix = self.row_matrix[box[0]], self.column_matrix[box[1]]
        rows, columns = used_sources(row_matrix), used_sources(column_matrix)
        part = self.sources[:, rows, columns, channel]
        return weighted(part, self.weights, row_matrix[:, rows], column_matrix[:, columns])


def blocks_from_grid(
    blocks: Iterable[np.ndarray], grid: SliceGrid, shape: tuple[int, int, int]
) -> Iterator[BlockFromGrid]:
    """Brings slices of the grid, which come a few at a time, to the canonical scan that they came from.

    Args:
      blocks: arrays [slices, size, size, channels] float32, which together are the slices of the grid in their order.
      grid: the grid of the case.
      shape: slices, rows and columns of the scan.

    Yields:
      The slices of the scan in their order.
    """
    slice_matrix, row_matrix, column_matrix = matrices_from_grid(grid, shape)
    if slice_matrix is None:
        start = 0
        for block in blocks:
            yield BlockFromGrid(slice(start, start + len(block)), block, None, row_matrix, column_matrix)
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
            part = held[sources.start - held_from : sources.stop - held_from]
            yield BlockFromGrid(slice(done, ready), part, weights, row_matrix, column_matrix)
            done = ready
        keep_from = first[done] if done < len(first) else held_from + len(held)
        held, held_from = held[max(0, keep_from - held_from) :], max(held_from, keep_from)


def probability_blocks_from_grid(
    blocks: Iterable[np.ndarray], grid: SliceGrid, shape: tuple[int, int, int]
) -> Iterator[tuple[slice, np.ndarray]]:
    """Resamples class probabilities to the canonical scan that they came from, and takes the largest.

    Args: as `blocks_from_grid`; channels are classes.

    Yields:
      Which slices of the scan, in their order, and their [slice, row, column] uint8 class indices; background outside the grid.
    """
    for block in blocks_from_grid(blocks, grid, shape):
        yield block.part, block.largest()


def _band(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last source of each target, never falling; a target without sources has them after its neighbours'."""
    used = matrix != 0
    has_sources = used.any(axis=1)
    first = np.where(has_sources, used.argmax(axis=1), matrix.shape[1])
    last = np.where(has_sources, matrix.shape[1] - 1 - used[:, ::-1].argmax(axis=1), -1)
    return np.minimum.accumulate(first[::-1])[::-1], np.maximum.accumulate(last)


def _extent(used: np.ndarray) -> slice:
    places = np.flatnonzero(used)
    return slice(int(places[0]), int(places[-1]) + 1)
