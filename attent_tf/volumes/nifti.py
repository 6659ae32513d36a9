"""Reading NIfTI files."""

import os

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError

from attent_tf.choices import OrientationPolicy
from attent_tf.counting import counted
from attent_tf.errors import InputError
from attent_tf.volumes.nifti_header import (
    MAX_VOXELS,
    checked_affine,
    checked_shape,
    read_bytes,
    read_header,
    unreadable,
)

# Slope and intercept are float32 in NIfTI-1, and were rounded to it once more by some writers.
_HEADER_ROUNDING = float(np.finfo(np.float32).eps)

# Room for header extensions before the voxels.
_LAST_OFFSET = 2**26


def read_nifti(
    path: str | os.PathLike, orientation_policy: OrientationPolicy = "strict", max_voxels: int = MAX_VOXELS
) -> tuple[np.ndarray, np.ndarray]:
    """Reads the intensities of a scan.

    Args:
      path: `.nii` or `.nii.gz`, three-dimensional (axes of length 1 may follow).
      orientation_policy: what to do where the codes of both sform and qform are 0, or where both count and one mirrors or
        turns the other: `strict` refuses, `trust_affine` takes the sform that stands in the header, or else its qform.
      max_voxels: the largest size that a header may declare.

    Returns:
      [i, j, k] intensities in stored order, and the [4, 4] float64 affine to millimetres in RAS+. Unscaled integers of
      8 or 16 bits stay what they are, because a CT takes half the memory so; all else is float32.

    Raises:
      InputError: the file cannot be used; the message says why.
    """
    header = read_header(path)
    shape = checked_shape(path, header, max_voxels)
    affine = checked_affine(path, header, orientation_policy)
    stored, slope, intercept = _stored_numbers(path, header, shape)
    unscaled = (slope, intercept) == (1.0, 0.0)
    if unscaled and stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
        return stored.astype(stored.dtype.newbyteorder("="), copy=False), affine
    # Values beyond float32 become infinite, which is reported below.
    with np.errstate(over="ignore"):
        voxels = stored.astype(np.float32)
        if not unscaled:
            voxels *= np.float32(slope)
            voxels += np.float32(intercept)
    bad = voxels.size - int(np.count_nonzero(np.isfinite(voxels)))
    if bad:
        raise InputError(
            path,
            "finite intensities",
            counted(bad, "voxel that is NaN or infinite", "voxels that are NaN or infinite"),
            "correct the file",
        )
    return voxels, affine


def read_nifti_labels(
    path: str | os.PathLike, orientation_policy: OrientationPolicy = "strict", max_voxels: int = MAX_VOXELS
) -> tuple[np.ndarray, np.ndarray]:
    """Reads a label map; whole numbers stored as floats, or scaled into an integer type, are accepted.

    Args: as `read_nifti`.

    Returns:
      [i, j, k] labels of an integer type in stored order, and the [4, 4] float64 affine to millimetres in RAS+.

    Raises:
      InputError: the file cannot be used, or holds values that are not whole numbers.
    """
    header = read_header(path)
    shape = checked_shape(path, header, max_voxels)
    affine = checked_affine(path, header, orientation_policy)
    stored, slope, intercept = _stored_numbers(path, header, shape)
    if stored.dtype.kind in "iu" and (slope, intercept) == (1.0, 0.0):
        return stored, affine
    labels, broken, distinct = np.empty(shape, np.int32, order="F"), 0, np.empty(0)
    # A plane at a time: as a whole, the float64 in between would take eight times the memory of a map of bytes.
    for place in range(shape[2]):
        values, nearest, is_whole = _whole_numbers(stored[..., place], slope, intercept)
        if not is_whole.all():
            bad = values[~is_whole]
            broken, distinct = broken + bad.size, np.union1d(distinct, bad)
        elif not broken:
            labels[..., place] = nearest
    if broken:
        raise InputError(
            path,
            "whole numbers as labels",
            f"{shown_values(distinct)} in {counted(broken, 'voxel')}",
            "a label map must be resampled with nearest neighbour",
        )
    return labels, affine


def shown_values(values: np.ndarray, limit: int = 5) -> str:
    """The first distinct values as text for a message, with an ellipsis where there are more."""
    distinct = np.unique(values)
    text = ", ".join(f"{value:g}" for value in distinct[:limit])
    return text + (", ..." if distinct.size > limit else "")


def _whole_numbers(stored: np.ndarray, slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Says which labels are meant by numbers of any shape as they stand in a file.

    A float array that is saved with an integer type is stretched over that type, so that 4 may come back as 3.99998. What
    lies within half a stored step of a whole number, except for the rounding of slope and intercept, was that number. From a
    step of 1 on everything would be that near; there values have to be whole as they stand.

    Returns:
      The values, the whole numbers next to them, and whether each value certainly means that number.
    """
    # NaN, infinity and what leads to them are refused with all else that is not whole.
    with np.errstate(over="ignore", invalid="ignore"):
        values, room = stored, None
        if (slope, intercept) != (1.0, 0.0):
            scaled = stored.astype(np.float64) * slope
            values = scaled + intercept
            room = _HEADER_ROUNDING * (np.abs(scaled) + abs(intercept))
            if stored.dtype.kind in "iu" and abs(slope) < 1:
                room += abs(slope) / 2
        nearest = np.rint(values)
        is_whole = values == nearest
        if room is not None:
            is_whole |= (np.abs(values - nearest) <= room) & (room < 0.5)
        # Beyond 2^31 a float has no certain whole number.
        is_whole &= np.abs(values) < 2**31
    return values, nearest, is_whole


def _stored_numbers(
    path: str | os.PathLike, header: nibabel.Nifti1Header, shape: tuple[int, int, int]
) -> tuple[np.ndarray, float, float]:
    """[i, j, k] numbers as they stand in the file, read-only, and the slope and intercept that belong to them."""
    dtype, offset = header.get_data_dtype(), float(header["vox_offset"])
    if not 0 <= offset <= _LAST_OFFSET:
        raise InputError(path, "voxels that begin near the start of the file", f"vox_offset {offset:g}", "correct it")
    start = max(int(offset), header.single_vox_offset)
    count = shape[0] * shape[1] * shape[2]
    content = read_bytes(path, start + count * dtype.itemsize)
    if len(content) < start + count * dtype.itemsize:
        raise InputError(
            path,
            f"a whole NIfTI file with {count * dtype.itemsize} bytes of voxels",
            max(0, len(content) - start),
            "copy or download it again",
        )
    try:
        slope, intercept = header.get_slope_inter()
    except HeaderDataError as error:
        raise unreadable(path, error) from error
    stored = np.frombuffer(content, dtype, count, start).reshape(shape, order="F")
    return stored, 1.0 if slope is None else slope, 0.0 if intercept is None else intercept
