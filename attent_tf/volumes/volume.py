"""What a scan is, in memory."""

import dataclasses
from typing import Literal, get_args

import nibabel.orientations
import numpy as np

from attent_tf.tasks import Domain
from attent_tf.volumes.placement import Placement, sheared_axes_mm, spacing_mm

# What an affine leads to: places in the patient; steps in an array of which nobody knows how it lies and how large voxels are; or
# steps in one slice and its neighbours, cut out of nobody knows which scan.
Space = Literal["patient", "array", "slice"]
PATIENT, ARRAY, SLICE = SPACES = get_args(Space)


@dataclasses.dataclass(frozen=True)
class Volume:
    """One scan with its place in the patient and, if known, its labels.

    Attributes:
      voxels: [i, j, k] intensities (HU where the domain is of the kind `ct`, arbitrary units otherwise) of any type of number, in
        the order in which they were stored.
      affine: [4, 4] float64, voxel index (i, j, k, 1) to millimetres in RAS+ patient space, as far as `space` says so.
      case: stable identifier such as `chaos-1` or `malbcv-0001`.
      domain: where the scan comes from.
      labels: [i, j, k] uint8 class indices of a task, or None.
      path: the file, or the folder of slices, that it was read from; empty if it was not read.
      placement: the sform and qform of its file, for what is written on the same voxels; None if it was not read.
      warnings: lines about its files that the user has to hear.
      space: one of `SPACES`. Of an `array` or a `slice` the affine is a convention: its third axis runs through slices as a
        network takes them, and a step along any axis is 1.
    """

    voxels: np.ndarray
    affine: np.ndarray
    case: str
    domain: Domain
    labels: np.ndarray | None = None
    path: str = ""
    placement: Placement | None = None
    warnings: tuple[str, ...] = ()
    space: Space = PATIENT

    @property
    def where(self) -> str:
        """What messages call it: what a user can open, or else the case."""
        return self.path or self.case

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.voxels.shape

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each array axis, in millimetres."""
        return spacing_mm(self.affine)

    @property
    def axes_mm(self) -> np.ndarray | None:
        """[3, 3] millimetres in RAS+ of a step along each array axis, each a column; None if they are perpendicular."""
        return sheared_axes_mm(self.affine)

    @property
    def axis_codes(self) -> str:
        """Nearest patient direction in which each array axis runs, for example `RAS` or `SPL`."""
        return "".join(nibabel.orientations.aff2axcodes(self.affine))

    @property
    def slice_count(self) -> int:
        """Number of voxels along the array axis that runs inferior to superior, or the reverse."""
        return next(size for size, code in zip(self.shape, self.axis_codes, strict=True) if code in "SI")
