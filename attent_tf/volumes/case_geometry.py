"""Everything that leads from a record back to the scan it came from, as it stands in records and manifest."""

import dataclasses
import math
from typing import Any

import numpy as np

from attent_tf.errors import RecordsError
from attent_tf.volumes.grid import GEOMETRIES, SliceGrid
from attent_tf.volumes.intensity import Intensity
from attent_tf.volumes.orientation import canonical_affine, canonical_shape
from attent_tf.volumes.placement import is_sheared, spacing_mm, voxel_ml
from attent_tf.volumes.volume import PATIENT, SPACES


@dataclasses.dataclass(frozen=True)
class CaseGeometry:
    """Place and intensities of one case.

    Attributes:
      stored_shape: voxels along each axis of the scan as stored.
      stored_affine: 4 rows of 4, voxel index as stored to millimetres in RAS+.
      grid: record pixels and prepared slices in voxels of the canonical scan.
      geometry: `physical` or `resize`.
      record_spacing_mm: (slice, row, column) distances of record pixels.
      intensity: the raw values of −1 and +1.
      neighbours: slices on each side of a slice that its record holds as further channels.
      space: one of `SPACES`; but for `patient`, lengths are numbers of voxels and nothing is known of directions, and of a
        `slice` there is no volume.
    """

    stored_shape: tuple[int, int, int]
    stored_affine: tuple[tuple[float, ...], ...]
    grid: SliceGrid
    geometry: str
    record_spacing_mm: tuple[float, float, float]
    intensity: Intensity
    neighbours: int = 0
    space: str = PATIENT

    @property
    def channels(self) -> int:
        """Channels of a record: the slice and its neighbours."""
        return 2 * self.neighbours + 1

    @property
    def affine(self) -> np.ndarray:
        """[4, 4] float64, the stored affine as an array."""
        return np.array(self.stored_affine, np.float64)

    @property
    def canonical_shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns of the scan in canonical orientation."""
        return canonical_shape(self.stored_shape, self.affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each axis of the scan as stored."""
        return spacing_mm(self.affine)

    @property
    def voxel_ml(self) -> float:
        """Millilitres in a voxel of the scan."""
        return voxel_ml(self.affine)

    @property
    def record_voxel_ml(self) -> float:
        """Millilitres in a pixel of a prepared slice, as thick as slices are apart."""
        return self.voxel_ml * abs(self.grid.slice_scale * self.grid.row_scale * self.grid.column_scale)

    @property
    def record_axes_mm(self) -> np.ndarray | None:
        """[3, 3] millimetres in RAS+ of a step along slices, rows and columns of the record, each a column; None where they
        are perpendicular, so that `record_spacing_mm` says all of it."""
        if not is_sheared(self.affine):
            return None
        scales = (self.grid.slice_scale, self.grid.row_scale, self.grid.column_scale)
        return canonical_affine(self.stored_shape, self.affine)[:3, :3] * scales

    def to_json(self) -> dict[str, Any]:
        """The geometry as a JSON object; `from_json` gives an equal one back."""
        return {
            "stored_shape": list(self.stored_shape),
            "stored_affine": [list(row) for row in self.stored_affine],
            "grid": dataclasses.asdict(self.grid),
            "geometry": self.geometry,
            "record_spacing_mm": list(self.record_spacing_mm),
            "intensity": dataclasses.asdict(self.intensity),
            "neighbours": self.neighbours,
            **({} if self.space == PATIENT else {"space": self.space}),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "CaseGeometry":
        """Reads what `to_json` wrote.

        Raises:
          RecordsError: a part is missing or is not what it should be.
        """
        try:
            grid, intensity = content["grid"], content["intensity"]
            geometry = cls(
                stored_shape=tuple(int(size) for size in content["stored_shape"]),
                stored_affine=tuple(tuple(_finite(value) for value in row) for row in content["stored_affine"]),
                grid=SliceGrid(
                    size=int(grid["size"]),
                    row_origin=_finite(grid["row_origin"]),
                    row_scale=_finite(grid["row_scale"]),
                    column_origin=_finite(grid["column_origin"]),
                    column_scale=_finite(grid["column_scale"]),
                    slices=int(grid["slices"]),
                    slice_origin=_finite(grid["slice_origin"]),
                    slice_scale=_finite(grid["slice_scale"]),
                ),
                geometry=str(content["geometry"]),
                record_spacing_mm=tuple(_finite(value) for value in content["record_spacing_mm"]),
                intensity=Intensity(str(intensity["rule"]), _finite(intensity["low"]), _finite(intensity["high"])),
                neighbours=int(content["neighbours"]),
                space=str(content.get("space", PATIENT)),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RecordsError(
                f"geometry of a case: expected the fields of schema 2, found a fault at {error}; write them again"
            ) from error
        rows = [len(row) for row in geometry.stored_affine]
        sizes = (len(geometry.stored_shape), rows, len(geometry.record_spacing_mm))
        words = geometry.geometry in GEOMETRIES and geometry.space in SPACES
        if sizes != (3, [4] * 4, 3) or not words or geometry.neighbours < 0:
            raise RecordsError(
                f"geometry of a case: expected 3 sizes, a 4 × 4 affine, 3 spacings, one of {', '.join(GEOMETRIES)}, one of "
                f"{', '.join(SPACES)} and 0 or more neighbours, found {content}; write them again"
            )
        return geometry


def _finite(value: Any) -> float:
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"{value}")
    return value
