"""A scan that is an array in memory already, with its affine."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attent_tf.counting import counted
from attent_tf.errors import InputError
from attent_tf.tasks import Domain
from attent_tf.volumes.placement import odd_voxel_sizes, singular_rows
from attent_tf.volumes.volume import Volume


def volume_of_array(voxels: ArrayLike, affine: ArrayLike, domain: Domain, case: str = "array") -> Volume:
    """Returns the scan that `read_scan` would read from a NIfTI file with these voxels and this affine.

    Args:
      voxels: [i, j, k] intensities of any type of number; Hounsfield units where the domain is of the kind `ct`.
      affine: [4, 4], voxel index (i, j, k, 1) to millimetres in RAS+ patient space, as nibabel gives it; the axes of the array
        may run in any directions.
      domain: where the scan comes from.
      case: what messages call it.

    Raises:
      InputError: the voxels are not those of one scan, or the affine cannot be one.
    """
    stored, placed = np.asarray(voxels), np.asarray(affine)
    if stored.ndim != 3 or min(stored.shape) < 1:
        raise InputError(case, "voxels [i, j, k]", f"shape {stored.shape}", "give one scan at a time")
    if stored.dtype.kind not in "iuf":
        raise InputError(case, "one number per voxel", f"voxels of type {stored.dtype}", "convert the array")
    if placed.shape != (4, 4) or placed.dtype.kind not in "iuf":
        advice = "give the [4, 4] matrix from voxel index to millimetres in RAS+"
        raise InputError(case, "an affine [4, 4]", f"shape {placed.shape} of type {placed.dtype}", advice)
    placed = placed.astype(np.float64)
    advice = "give the matrix from voxel index to millimetres in RAS+"
    if rows := singular_rows(placed):
        raise InputError(case, "an affine that can be inverted", rows, advice)
    if sizes := odd_voxel_sizes(placed):
        raise InputError(case, sizes.expected, f"{sizes.found} mm", advice)
    return Volume(_as_read(stored, case), placed, case, domain)


def _as_read(voxels: NDArray[np.generic], case: str) -> NDArray[np.generic]:
    """Voxels of the type that `read_nifti` gives them."""
    if voxels.dtype.kind in "iu" and voxels.dtype.itemsize <= 2:
        return voxels
    # Values beyond float32 become infinite, which is reported.
    with np.errstate(over="ignore"):
        numbers = voxels.astype(np.float32, copy=False)
    bad = numbers.size - int(np.count_nonzero(np.isfinite(numbers)))
    if bad:
        found = counted(bad, "voxel that is NaN or infinite", "voxels that are NaN or infinite")
        raise InputError(case, "finite intensities", found, "correct the array")
    return numbers
