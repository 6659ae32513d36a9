"""Where a file says that its voxels lie.

A NIfTI header has room for two affines, and readers differ in which one they take: nibabel, SPM and this library the sform, ITK
and 3D Slicer mostly the qform. A qform is made of turns and distances, so that it cannot express sheared axes.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from nibabel import affines, orientations

# The cosine between two axes up to which they count as perpendicular: more than rounding makes of them in a header, and less
# than what would move the corner of a large scan by a tenth of a millimetre.
_PERPENDICULAR = 1e-4

# Scanners of people lie well within, and no voxel does whose metres or micrometres were taken for millimetres.
_EDGES_MM = (0.01, 100.0)

# What NIfTI calls the space of the scanner.
_SCANNER = 1


@dataclasses.dataclass(frozen=True)
class Placement:
    """The affines of a file, voxel index to millimetres in RAS+. At least one is there.

    Attributes:
      sform: [4, 4] float64, or None; it counts where there are both.
      qform: [4, 4] float64, or None.
      sform_code, qform_code: the NIfTI codes of their spaces.
    """

    sform: np.ndarray | None
    qform: np.ndarray | None
    sform_code: int = _SCANNER
    qform_code: int = _SCANNER

    @classmethod
    def of(cls, affine: np.ndarray) -> "Placement":
        """Returns the placement by one affine: as both forms, or as the sform alone where a qform cannot express it."""
        affine = np.asarray(affine, np.float64)
        return cls(affine, None if is_sheared(affine) else affine)

    @property
    def affine(self) -> np.ndarray:
        """[4, 4] float64, the affine that counts."""
        form = self.qform if self.sform is None else self.sform
        assert form is not None
        return form

    def apart_mm(self, shape: Sequence[int]) -> float:
        """Returns how far apart the two forms place a corner of a scan of this shape at most; 0 where there is only one."""
        return 0.0 if self.sform is None or self.qform is None else corners_apart_mm(self.sform, self.qform, shape)

    @property
    def is_turned(self) -> bool:
        """Whether the two forms mirror each other, or send the array's axes to different directions of the patient."""
        if self.sform is None or self.qform is None:
            return False
        between = np.linalg.inv(self.sform) @ self.qform
        same = [[0, 1], [1, 1], [2, 1]]
        return bool(np.linalg.det(between[:3, :3]) < 0) or orientations.io_orientation(between).tolist() != same


def corners_apart_mm(first: np.ndarray, second: np.ndarray, shape: Sequence[int]) -> float:
    """Returns the largest distance between the places that two affines give to a corner of a volume.

    Args:
      first, second: [4, 4], voxel index to millimetres.
      shape: voxels along the three axes.
    """
    corners = np.stack(np.meshgrid(*[(0, size - 1) for size in shape], indexing="ij"), -1).reshape(-1, 3)
    difference = first - second
    return float(np.linalg.norm(corners @ difference[:3, :3].T + difference[:3, 3], axis=1).max())


def is_sheared(affine: np.ndarray) -> bool:
    """Whether the axes of a [4, 4] affine are not perpendicular, as those of a scan with a tilted gantry are."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() > _PERPENDICULAR)


class OddSizes(NamedTuple):
    """Sizes of voxels that no scan has.

    Attributes:
      expected: what they may be, in words.
      found: what they are, without a unit.
    """

    expected: str
    found: str


def singular_rows(affine: np.ndarray) -> str | None:
    """Returns the rows of a [4, 4] float64 affine that cannot be inverted, as text; None if it can be."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    # The determinant of the unit axes: 1 where they are perpendicular, 0 where they lie in one plane.
    usable = np.isfinite(affine).all() and lengths.min() > 1e-6
    if usable and abs(np.linalg.det(affine[:3, :3] / lengths)) >= 1e-3:
        return None
    rows = "; ".join(" ".join(f"{value:g}" for value in row) for row in affine[:3])
    return f"[{rows}]"


def odd_voxel_sizes(affine: np.ndarray) -> OddSizes | None:
    """Returns what is odd about the sizes of voxels by a [4, 4] affine; None if a scan can have them."""
    lengths, (low, high) = np.linalg.norm(affine[:3, :3], axis=0), _EDGES_MM
    if low <= lengths.min() <= lengths.max() <= high:
        return None
    return OddSizes(f"voxel sizes of {low:g} to {high:g} mm", " × ".join(f"{length:g}" for length in lengths))


def sheared_axes_mm(affine: np.ndarray) -> np.ndarray | None:
    """[3, 3] millimetres in RAS+ of a step along each array axis, each a column; None if they are perpendicular."""
    return affine[:3, :3] if is_sheared(affine) else None


def spacing_mm(affine: np.ndarray) -> tuple[float, float, float]:
    """Returns the distance between neighbouring voxel centres along each array axis of a [4, 4] affine to millimetres."""
    first, second, third = affines.voxel_sizes(affine)
    return float(first), float(second), float(third)


def voxel_ml(affine: np.ndarray) -> float:
    """Returns the volume of a voxel in millilitres, for a [4, 4] affine to millimetres with axes at any angles."""
    return float(abs(np.linalg.det(affine[:3, :3]))) / 1000.0
