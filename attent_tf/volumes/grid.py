"""Which pixels of a slice the pixels of a record stand for.

Along each axis `source_pixel = origin + scale * record_pixel`, with pixels counted at their centres. There are two ways
to choose it: `physical` (record pixels of equal size in millimetres, centred on the body) and `resize` (the whole
slice, as the paper and SIFA do it).
"""

import dataclasses

import numpy as np

from attent_tf.errors import ConfigError
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.volume import Volume

GEOMETRIES = ("physical", "resize")

# The part of the body's pixels, at either end of an axis, that does not count for its extent: arms, table remains.
_TRIMMED = 0.005


@dataclasses.dataclass(frozen=True)
class SliceGrid:
    """The square grid of a record in the pixels of its canonical slice.

    Attributes:
      size: rows and columns of the record.
      row_origin: slice row, in pixels, under the centre of record row 0.
      row_scale: slice rows per record row.
      column_origin: slice column, in pixels, under the centre of record column 0.
      column_scale: slice columns per record column.
    """

    size: int
    row_origin: float
    row_scale: float
    column_origin: float
    column_scale: float


def fit_grid(
    canonical_volume: Volume,
    geometry: str = "physical",
    size: int = 256,
    pixel_mm: float = 1.6,
    body: np.ndarray | None = None,
) -> SliceGrid:
    """Chooses the grid of a case.

    Args:
      canonical_volume: [slice, row, column] volume in canonical orientation.
      geometry: `physical` or `resize`.
      size: rows and columns of a record.
      pixel_mm: edge of a record pixel in millimetres, for `physical`.
      body: [slice, row, column] bool, `body_mask(canonical_volume)` where it is known already.

    Returns:
      The grid, the same for all slices of the case.

    Raises:
      ConfigError: the geometry has no such name.
    """
    _, rows, columns = canonical_volume.shape
    if geometry == "resize":
        # Edges of the slice meet edges of the record, so centres differ by half a pixel of each.
        row_scale, column_scale = rows / size, columns / size
        return SliceGrid(size, (row_scale - 1) / 2, row_scale, (column_scale - 1) / 2, column_scale)
    if geometry != "physical":
        raise ConfigError(f"geometry: expected one of {', '.join(GEOMETRIES)}, found {geometry!r}")
    body = body_mask(canonical_volume) if body is None else body
    _, row_mm, column_mm = canonical_volume.spacing_mm
    row_origin, row_scale = _centred(body.sum(axis=(0, 2)), pixel_mm / row_mm, size)
    column_origin, column_scale = _centred(body.sum(axis=(0, 1)), pixel_mm / column_mm, size)
    return SliceGrid(size, row_origin, row_scale, column_origin, column_scale)


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
