"""Phantoms as NIfTI files."""

import gzip

import nibabel
import nibabel.orientations
import numpy as np


def nifti_bytes(values: np.ndarray, affine: np.ndarray, codes: str) -> bytes:
    """Returns a compressed NIfTI-1 file; the same values give the same bytes.

    Args:
      values: [slice, row, column].
      affine: [4, 4] index (slice, row, column, 1) to millimetres in RAS+.
      codes: axis codes in which it is stored, such as `LPS`.
    """
    start = nibabel.orientations.io_orientation(affine)
    stored = nibabel.orientations.ornt_transform(start, nibabel.orientations.axcodes2ornt(codes))
    array = nibabel.orientations.apply_orientation(values, stored)
    place = affine @ nibabel.orientations.inv_ornt_aff(stored, values.shape)
    image = nibabel.Nifti1Image(np.asfortranarray(array), place)
    image.set_sform(place, code=1)
    image.set_qform(place, code=1)
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = b"AttENT phantom: synthetic, no patient"
    # No time stamp: the same values give the same bytes.
    return gzip.compress(image.to_bytes(), compresslevel=2, mtime=0)
