"""What a scan is, in memory."""

import dataclasses

import nibabel.affines
import nibabel.orientations
import numpy as np


@dataclasses.dataclass(frozen=True)
class Volume:
    """One scan with its place in the patient and, if known, its labels.

    Attributes:
      voxels: [i, j, k] intensities (HU for CT, arbitrary units for MR) of any type of number, in the order in which they
        were stored.
      affine: [4, 4] float64, voxel index (i, j, k, 1) to millimetres in RAS+ patient space.
      case: stable identifier such as `chaos-1` or `malbcv-0001`.
      domain: `mri` or `ct`.
      labels: [i, j, k] uint8 class indices (see `attent_tf.organs`), or None.
      warnings: lines about its files that the user has to hear.
    """

    voxels: np.ndarray
    affine: np.ndarray
    case: str
    domain: str
    labels: np.ndarray | None = None
    warnings: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.voxels.shape

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each array axis, in millimetres."""
        return tuple(float(step) for step in nibabel.affines.voxel_sizes(self.affine))

    @property
    def axis_codes(self) -> str:
        """Nearest patient direction in which each array axis runs, for example `RAS` or `SPL`."""
        return "".join(nibabel.orientations.aff2axcodes(self.affine))

    @property
    def slice_count(self) -> int:
        """Number of voxels along the array axis that runs inferior to superior, or the reverse."""
        return next(size for size, code in zip(self.shape, self.axis_codes, strict=True) if code in "SI")
