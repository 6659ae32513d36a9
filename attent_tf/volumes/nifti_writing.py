"""NIfTI out: completely or not at all, plane by plane, the same bytes for the same voxels."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import nibabel
import numpy as np
from isal import igzip

from attent_tf.errors import InputError
from attent_tf.files import written_aside
from attent_tf.volumes.nifti_header import is_nifti_name
from attent_tf.volumes.placement import Placement, spacing_mm

# Of the fast compressor's levels 0 to 3, the one that packs label maps smallest; a higher one is slower and no better.
_LEVEL = 1

# Where voxels begin: after the header and four bytes that say that no extension follows.
_OFFSET = 352


def write_scan(
    path: str | os.PathLike, voxels: np.ndarray, placement: Placement | np.ndarray, dtype: np.typing.DTypeLike
) -> None:
    """Writes intensities as NIfTI, completely or not at all.

    Args:
      path: `.nii` or `.nii.gz`.
      voxels: [i, j, k] intensities.
      placement: the placement of the file whose voxels these are; or a [4, 4] affine, voxel index to millimetres in RAS+.
      dtype: the type on disk; for integer types values are rounded.

    Raises:
      InputError: the name has another suffix, or a value does not fit into `dtype`.
    """
    dtype = np.dtype(dtype)
    voxels = np.asarray(voxels)
    if dtype.kind in "iu":
        voxels = np.rint(voxels) if voxels.dtype.kind == "f" else voxels
        limits = np.iinfo(dtype)
        # Written so that NaN fails as well.
        if voxels.size and not (voxels.min() >= limits.min and voxels.max() <= limits.max):
            raise InputError(
                path,
                f"values that fit into {dtype} ({limits.min}..{limits.max})",
                f"{voxels.min()}..{voxels.max()}",
                "write floats instead",
            )
    _write(path, voxels, placement, dtype, slope=1.0)


def write_labels(path: str | os.PathLike, labels: np.ndarray, placement: Placement | np.ndarray) -> None:
    """Writes [i, j, k] class indices as a uint8 NIfTI file, completely or not at all; placed as by `write_scan`."""
    write_scan(path, labels, placement, np.uint8)


def write_fractions(path: str | os.PathLike, bytes_of: np.ndarray, placement: Placement | np.ndarray) -> None:
    """Writes values from 0 to 1 in steps of 1/255 as NIfTI, completely or not at all; readers get them as floats.

    Args:
      path: `.nii` or `.nii.gz`.
      bytes_of: [i, j, k] or [i, j, k, channel] uint8, 255 for 1; may lie on disk (`numpy.memmap`).
      placement: the placement of the file whose voxels these are; or a [4, 4] affine, voxel index to millimetres in RAS+.

    Raises:
      InputError: the name has another suffix.
    """
    _write(path, bytes_of, placement, np.dtype(np.uint8), slope=1 / 255)


def _write(
    path: str | os.PathLike, voxels: np.ndarray, placement: Placement | np.ndarray, dtype: np.dtype, slope: float
) -> None:
    path = Path(path)
    if not is_nifti_name(path):
        raise InputError(
            path, "a name that ends in .nii or .nii.gz", path.suffix or "none", "choose another output name"
        )
    if not isinstance(placement, Placement):
        placement = Placement.of(placement)
    header = nibabel.Nifti1Header()
    header.set_data_shape(voxels.shape)
    header.set_data_dtype(dtype)
    if placement.sform is not None:
        header.set_sform(placement.sform, placement.sform_code)
    if placement.qform is not None:
        header.set_qform(placement.qform, placement.qform_code)
    else:
        # Turns and offsets stay 0, as no reader may take them; the sizes count without a code.
        header["pixdim"][1:4] = spacing_mm(placement.affine)
    header.set_xyzt_units("mm")
    header.set_slope_inter(slope, 0.0)
    header.set_data_offset(_OFFSET)
    with written_aside(path) as aside, _opened(aside) as file:
        file.write(header.binaryblock.ljust(_OFFSET, b"\0"))
        # The last axis is the outermost on disk. A plane at a time, so that nothing is copied as a whole.
        for outer in np.ndindex(voxels.shape[:1:-1]):
            plane = voxels[(..., *outer[::-1])]
            file.write(plane.astype(dtype, copy=False).tobytes(order="F"))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("wb") as raw:
        if path.suffix.lower() != ".gz":
            yield raw
            return
        # No name and no time in the archive: the same voxels give the same bytes.
        with igzip.IGzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=raw, mtime=0) as packed:
            yield packed
