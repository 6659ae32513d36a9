"""Everything that leads from a record back to the scan it came from, as it stands in records and manifest."""

import dataclasses
from typing import Annotated, Any

import numpy as np

from attent_tf.choices import Geometry
from attent_tf.errors import RecordsError
from attent_tf.plain_values import MAY_LACK, Check, Finite, StrictReader
from attent_tf.volumes.grid import SliceGrid
from attent_tf.volumes.intensity import Intensity
from attent_tf.volumes.orientation import canonical_affine, canonical_shape
from attent_tf.volumes.placement import is_sheared, spacing_mm, voxel_ml
from attent_tf.volumes.volume import PATIENT, Space

_Row = tuple[Finite, Finite, Finite, Finite]


@dataclasses.dataclass(frozen=True, slots=True)
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
      space: one of `SPACES`; except for `patient`, lengths are numbers of voxels and nothing is known of directions, and of a
        `slice` there is no volume.
    """

    stored_shape: tuple[int, int, int]
    stored_affine: tuple[_Row, _Row, _Row, _Row]
    grid: SliceGrid
    geometry: Geometry
    record_spacing_mm: tuple[Finite, Finite, Finite]
    intensity: Intensity
    neighbours: Annotated[int, Check("0 or more", lambda count: count >= 0)] = 0
    space: Annotated[Space, MAY_LACK] = PATIENT

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
        """[3, 3] millimetres in RAS+ of a step along slices, rows and columns of the record, each a column; None if they
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
    def from_json(cls, content: Any) -> "CaseGeometry":
        """Reads what `to_json` wrote.

        Raises:
          RecordsError: a part is missing or is not what it should be.
        """
        return _READER.read(cls, content, "geometry of a case", RecordsError, "write the records again")


_READER = StrictReader(complete=True)
