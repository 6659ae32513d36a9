"""Order statistics and moments of a whole volume, slice by slice: no copy of it in a larger type."""

import math

import numpy as np

# Integers of at most this range are counted, one bin a value; 16-bit scans always are.
_MOST_BINS = 1 << 20


def percentiles(voxels: np.ndarray, mask: np.ndarray | None, points: tuple[float, ...]) -> tuple[float, ...]:
    """Percentiles with linear interpolation between order statistics, as NumPy's default.

    Args:
      voxels: [slice, row, column] numbers of any type, in any memory order.
      mask: [slice, row, column] bool, the voxels that count; None for all.
      points: percentiles, 0 to 100.

    Returns:
      One value for each point, interpolated in float64.
    """
    places = [point / 100 * (_size(voxels, mask) - 1) for point in points]
    # Whole numbers around each place; where it is one itself, both are the same.
    ranks = sorted({rank for place in places for rank in (math.floor(place), math.ceil(place))})
    values = dict(zip(ranks, _order_statistics(voxels, mask, ranks), strict=True))
    return tuple(
        values[math.floor(place)] + (values[math.ceil(place)] - values[math.floor(place)]) * (place - math.floor(place))
        for place in places
    )


def moments(voxels: np.ndarray, mask: np.ndarray | None) -> tuple[int, float, float]:
    """Count, mean and mean square deviation from the mean, in float64 by two passes.

    Args:
      voxels: [slice, row, column] numbers of any type, in any memory order.
      mask: [slice, row, column] bool, the voxels that count; None for all.
    """
    count = _size(voxels, mask)
    mean = math.fsum(float(values.sum()) for values in _slices(voxels, mask, np.float64)) / count
    squares = math.fsum(float(np.square(values - mean).sum()) for values in _slices(voxels, mask, np.float64))
    return count, mean, squares / count


def _order_statistics(voxels: np.ndarray, mask: np.ndarray | None, ranks: list[int]) -> list[float]:
    if np.issubdtype(voxels.dtype, np.integer):
        low, high = int(voxels.min()), int(voxels.max())
        if high - low < _MOST_BINS:
            counts = np.zeros(high - low + 1, np.int64)
            for values in _slices(voxels, mask, np.int64):
                counts += np.bincount(values - low, minlength=len(counts))
            return [float(low + place) for place in np.searchsorted(np.cumsum(counts), ranks, side="right")]
    values, filled = np.empty(_size(voxels, mask), voxels.dtype), 0
    for part in _slices(voxels, mask, voxels.dtype):
        values[filled : filled + len(part)] = part
        filled += len(part)
    values.partition(ranks)
    return [float(values[rank]) for rank in ranks]


def _size(voxels: np.ndarray, mask: np.ndarray | None) -> int:
    return voxels.size if mask is None else int(np.count_nonzero(mask))


def _slices(voxels: np.ndarray, mask: np.ndarray | None, kind: type):
    """The voxels that count, one flat array of a type for each slice; a view where nothing has to change."""
    for index, plane in enumerate(voxels):
        # In one order, so that sums do not depend on the order in which the file was stored.
        plane = np.ascontiguousarray(plane)
        yield (plane.ravel() if mask is None else plane[mask[index]]).astype(kind, copy=False)
