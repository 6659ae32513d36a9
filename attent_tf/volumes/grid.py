"""Which voxels of a canonical scan the pixels and slices of a record stand for.

Along each axis `source_pixel = origin + scale * record_pixel`, with pixels counted at their centres. In the slice there
are two ways to choose it: `physical` (record pixels of equal size in millimetres, centred on the body) and `resize` (the
whole slice, as the paper and SIFA do it). Slices are those of the scan, or slices of one distance over its whole length.
"""

import dataclasses
import math

import numpy as np

from attent_tf.choices import GEOMETRIES, Geometry
from attent_tf.errors import ConfigError
from attent_tf.plain_values import Finite
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.volume import Volume

# The part of the body's pixels, at either end of an axis, that does not count for its extent: arms, table remains.
_TRIMMED = 0.005

# Slices are copied where resampling would move none of them by more than this part of a slice.
_SAME_SLICES = 0.01


@dataclasses.dataclass(frozen=True, slots=True)
class SliceGrid:
    """The grid of a prepared case in the voxels of its canonical scan: square slices, all alike.

    Attributes:
      size: rows and columns of the record.
      row_origin: slice row, in pixels, under the centre of record row 0.
      row_scale: slice rows per record row.
      column_origin: slice column, in pixels, under the centre of record column 0.
      column_scale: slice columns per record column.
      slices: slices of the prepared case.
      slice_origin: canonical slice, counted at its centre, in the middle of prepared slice 0.
      slice_scale: canonical slices per prepared slice; 1 where slices are those of the scan.
    """

    size: int
    row_origin: Finite
    row_scale: Finite
    column_origin: Finite
    column_scale: Finite
    slices: int
    slice_origin: Finite = 0.0
    slice_scale: Finite = 1.0


def fit_grid(
    canonical_volume: Volume,
    geometry: Geometry = "physical",
    size: int = 256,
    pixel_mm: float = 1.6,
    body: np.ndarray | None = None,
    slice_mm: float | None = None,
) -> SliceGrid:
    """Chooses the grid of a case.

    Args:
      canonical_volume: [slice, row, column] volume in canonical orientation.
      geometry: `physical` or `resize`.
      size: rows and columns of a record.
      pixel_mm: edge of a record pixel in millimetres, for `physical`.
      body: [slice, row, column] bool, `body_mask(canonical_volume)` where it is known already.
      slice_mm: distance of the prepared slices in millimetres; None for those of the scan.

    Returns:
      The grid, the same for all slices of the case. Prepared slices and slices of the scan lie in each other's field.

    Raises:
      ConfigError: the geometry has no such name.
    """
    slices, rows, columns = canonical_volume.shape
    spacing_mm = canonical_volume.spacing_mm
    along = _slices_along(slices, 1.0 if slice_mm is None else slice_mm / spacing_mm[0])
    if geometry == "resize":
        # Edges of the slice meet edges of the record, so centres differ by half a pixel of each.
        row_scale, column_scale = rows / size, columns / size
        return SliceGrid(size, (row_scale - 1) / 2, row_scale, (column_scale - 1) / 2, column_scale, *along)
    if geometry != "physical":
        raise ConfigError(f"geometry: expected one of {', '.join(GEOMETRIES)}, found {geometry!r}")
    body = body_mask(canonical_volume) if body is None else body
    row_origin, row_scale = _centred(body.sum(axis=(0, 2)), pixel_mm / spacing_mm[1], size)
    column_origin, column_scale = _centred(body.sum(axis=(0, 1)), pixel_mm / spacing_mm[2], size)
    return SliceGrid(size, row_origin, row_scale, column_origin, column_scale, *along)


def _slices_along(slices: int, scale: float) -> tuple[int, float, float]:
    """Number, origin and scale of prepared slices that share their middle with `slices` slices and just cover them."""
    if abs(scale - 1) * (slices - 1) / 2 <= _SAME_SLICES:
        return slices, 0.0, 1.0
    count = max(1, math.ceil(slices / scale - 1e-6))
    return count, (slices - 1) / 2 - scale * (count - 1) / 2, scale


def _centred(profile: np.ndarray, scale: float, size: int) -> tuple[float, float]:
    """Origin and scale that bring the middle of a profile's extent to the middle of the record."""
    total = profile.sum()
    if total == 0:
        middle = (len(profile) - 1) / 2
    else:
        share = np.cumsum(profile) / total
        first, last = np.searchsorted(share, (_TRIMMED, 1 - _TRIMMED))
        middle = (first + last) / 2
    # A whole number: where record and slice have the same spacing, pixels are then copied, not interpolated.
    return float(np.rint(middle - scale * (size - 1) / 2)), float(scale)
