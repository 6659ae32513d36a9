"""The header of a NIfTI file, judged on its own bytes.

The library underneath mends or lets through headers that place a scan wrongly in the patient (a pixdim of 0 becomes 1,
a missing orientation is guessed), so nothing is left to it before these checks have passed.
"""

import os
from pathlib import Path

import nibabel
import numpy as np
from isal import igzip, isal_zlib
from nibabel.spatialimages import HeaderDataError

from attent_tf.errors import ConfigError, InputError
from attent_tf.storage import is_remote, open_binary

# 2 GiB as float32; a CT of the whole body (512 × 512 × 1500) has three quarters of it.
MAX_VOXELS = 2**29

ORIENTATION_POLICIES = ("strict", "trust_affine")

_SUFFIXES = (".nii", ".nii.gz")


def is_nifti_name(path: str | os.PathLike) -> bool:
    """Whether the file name ends as a NIfTI file's does."""
    return str(path).lower().endswith(_SUFFIXES)


def nifti_stem(path: str | os.PathLike) -> str:
    """The file name without `.nii` or `.nii.gz`."""
    name = Path(path).name
    return name[: name.lower().rindex(".nii")]


def read_header(path: str | os.PathLike) -> nibabel.Nifti1Header:
    """The header exactly as it stands in the file: nothing is mended."""
    if not is_remote(path) and not os.path.isfile(path):
        raise InputError(path, "a NIfTI file", "none", "check the path")
    if not is_nifti_name(path):
        raise InputError(path, "a NIfTI file (.nii or .nii.gz)", "another name", "convert it")
    block = read_bytes(path, 540).tobytes()
    for kind, magic in ((nibabel.Nifti1Header, block[344:347]), (nibabel.Nifti2Header, block[4:7])):
        size = kind.template_dtype.itemsize
        if len(block) >= size and magic in (b"n+1", b"n+2"):
            try:
                return kind(block[:size], check=False)
            except (HeaderDataError, ValueError) as error:
                raise unreadable(path, error) from error
    raise InputError(path, "a NIfTI file", "other content (no NIfTI header)", "check or convert the file")


def read_bytes(path: str | os.PathLike, count: int) -> np.ndarray:
    """The first `count` bytes of the content, unpacked, or all of it if there are fewer; [byte] uint8."""
    try:
        with open_binary(path) as file:
            stream = igzip.open(file) if str(path).lower().endswith(".gz") else file
            # Read into place: joining pieces would hold everything twice.
            content, filled = np.empty(count, np.uint8), 0
            while filled < count and (read := stream.readinto(memoryview(content)[filled:])):
                filled += read
            # An archive is checked against its checksum where it ends.
            stream.read(1)
            return content[:filled]
    except (OSError, EOFError, isal_zlib.error) as error:
        raise unreadable(path, error) from error


def checked_shape(path: str | os.PathLike, header: nibabel.Nifti1Header, max_voxels: int) -> tuple[int, int, int]:
    """Number of voxels along the three axes, of numbers that can be read, or InputError."""
    rank = int(header["dim"][0])
    shape = tuple(int(size) for size in header["dim"][1 : 1 + max(rank, 0)])
    if not 3 <= rank <= 7 or any(size != 1 for size in shape[3:]):
        raise InputError(path, "a three-dimensional volume", f"shape {shape}", "give one volume a file")
    shape = shape[:3]
    if min(shape) < 1:
        raise InputError(path, "a size of at least 1 along each axis", shape, "the header is damaged")
    count = shape[0] * shape[1] * shape[2]
    if count > max_voxels:
        raise InputError(
            path,
            f"at most {max_voxels} voxels",
            f"{' × '.join(map(str, shape))} in the header",
            "the header is damaged, or the scan must be cropped",
        )
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError) as error:
        raise InputError(path, "a known type of voxels", error, "convert the file") from error
    if dtype.kind not in "iuf":
        raise InputError(path, "one number a voxel", f"voxels of type {dtype}", "convert the file")
    return shape


def checked_affine(path: str | os.PathLike, header: nibabel.Nifti1Header, policy: str) -> np.ndarray:
    """[4, 4] float64 affine to millimetres in RAS+ that can be inverted, or InputError."""
    if policy not in ORIENTATION_POLICIES:
        raise ConfigError(f"orientation_policy: expected one of {', '.join(ORIENTATION_POLICIES)}, found {policy!r}")
    pixdim = np.asarray(header["pixdim"][1:4], np.float64)
    if not (np.isfinite(pixdim).all() and (pixdim > 0).all()):
        raise InputError(path, "positive voxel sizes", f"pixdim {pixdim.tolist()}", "mend the header")
    affine = _header_affine(path, header, policy)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    # The determinant of the unit axes: 1 where they are perpendicular, 0 where they lie in one plane.
    usable = np.isfinite(affine).all() and lengths.min() > 1e-6
    if not usable or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
        rows = "; ".join(" ".join(f"{value:g}" for value in row) for row in affine[:3])
        raise InputError(path, "an affine that can be inverted", f"[{rows}]", "mend the header")
    return affine


def unreadable(path: str | os.PathLike, error: Exception) -> InputError:
    """The error for a file that ends early or whose content is damaged."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(path, "a whole NIfTI file", f"that reading failed ({reason})", "copy or download it again")


def _header_affine(path: str | os.PathLike, header: nibabel.Nifti1Header, policy: str) -> np.ndarray:
    sform = np.asarray(header.get_sform(), np.float64)
    if int(header["sform_code"]) > 0:
        return sform
    qform_is_set = int(header["qform_code"]) > 0
    if not qform_is_set and policy == "strict":
        raise InputError(
            path,
            "a known orientation",
            "sform and qform codes of 0",
            "set one of them in the header, or choose the orientation policy trust_affine and check which side the liver is on",
        )
    if not qform_is_set and np.any(sform[:3, :3]):
        return sform
    names = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
    if not qform_is_set and not any(float(header[name]) for name in names):
        raise InputError(path, "an affine to trust", "none in the header", "set the sform or qform")
    if float(header["pixdim"][0]) == 0:
        # The standard reads a handedness of 0 as 1.
        header = header.copy()
        header["pixdim"][0] = 1
    try:
        return np.asarray(header.get_qform(), np.float64)
    except (HeaderDataError, ValueError) as error:
        raise unreadable(path, error) from error
