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

from attent_tf.choices import ORIENTATION_POLICIES
from attent_tf.errors import ConfigError, InputError
from attent_tf.storage import is_remote, open_binary
from attent_tf.volumes.content_kinds import found_instead
from attent_tf.volumes.placement import Placement, odd_voxel_sizes, singular_rows

# The longest header, and where an archive says that it is one.
_FIRST_BYTES = 540

# 2 GiB as float32; a CT of the whole body (512 × 512 × 1500) has three quarters of it.
MAX_VOXELS = 2**29


# sform and qform may place a corner so far apart: tools round, and most move a scan by less than that where they align it.
_MOST_APART_MM = 1.0

# Of a space that NIfTI has a name for; readers ask only whether a code is above 0.
_LARGEST_CODE = 5

_SUFFIXES = (".nii", ".nii.gz")

_GZIP_MAGIC = b"\x1f\x8b"

# By the spatial unit in xyzt_units: metre and micrometre. All else counts as millimetres, as in other tools.
_UNIT_MM = {1: 1000.0, 3: 0.001}
_UNIT_BITS = 0b111

# What rounding to five decimals adds to the squares of a half turn; the angle, which is lost then, was below half a degree.
_QUATERNION_EXCESS = 1e-5


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
    block = read_bytes(path, _FIRST_BYTES).tobytes()
    for kind, magic in ((nibabel.Nifti1Header, block[344:347]), (nibabel.Nifti2Header, block[4:7])):
        size = kind.template_dtype.itemsize
        if len(block) >= size and magic in (b"n+1", b"n+2"):
            try:
                return kind(block[:size], check=False)
            except (HeaderDataError, ValueError) as error:
                raise unreadable(path, error) from error
    raise InputError(path, "a NIfTI file", *found_instead(block))


def read_bytes(path: str | os.PathLike, count: int) -> np.ndarray:
    """The first `count` bytes of the content, unpacked, or all of it if there are fewer; [byte] uint8."""
    try:
        with open_binary(path) as file:
            # By content, as other tools do: many a `.nii.gz` was never packed, and many a `.nii` was.
            is_packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            stream = igzip.open(file) if is_packed else file
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
        raise InputError(path, "a three-dimensional volume", f"shape {shape}", "give one volume per file")
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
        raise InputError(path, "one number per voxel", f"voxels of type {dtype}", "convert the file")
    return shape


def checked_affine(path: str | os.PathLike, header: nibabel.Nifti1Header, policy: str) -> np.ndarray:
    """[4, 4] float64 affine to millimetres in RAS+ that can be inverted, or InputError."""
    if policy not in ORIENTATION_POLICIES:
        raise ConfigError(f"orientation_policy: expected one of {', '.join(ORIENTATION_POLICIES)}, found {policy!r}")
    pixdim = np.asarray(header["pixdim"][1:4], np.float64)
    if not (np.isfinite(pixdim).all() and (pixdim > 0).all()):
        raise InputError(path, "positive voxel sizes", f"pixdim {pixdim.tolist()}", "correct the header")
    placement = _placement(path, header, policy)
    affine = placement.affine
    if rows := singular_rows(affine):
        raise InputError(path, "an affine that can be inverted", rows, "correct the header")
    if sizes := odd_voxel_sizes(affine):
        found = f"{sizes.found} mm with xyzt_units {int(header['xyzt_units'])}"
        advice = "set its spatial unit (1 metre, 2 millimetre, 3 micrometre), or correct the affine"
        raise InputError(path, sizes.expected, found, advice)
    if policy == "strict":
        _check_agreement(path, placement, header.get_data_shape()[:3])
    return affine


def read_placement(path: str | os.PathLike, policy: str = "strict") -> tuple[Placement, tuple[str, ...]]:
    """Reads how a file places its voxels, and nothing else of it.

    Args:
      path: a file that `checked_affine` accepts.
      policy: with which it does so.

    Returns:
      The file's own sform and qform, in millimetres; and a line where they contradict each other.
    """
    header = read_header(path)
    placement = _placement(path, header, policy)
    apart_mm = placement.apart_mm(header.get_data_shape()[:3])
    if apart_mm > _MOST_APART_MM:
        turned = ", and mirror or turn it" if placement.is_turned else ""
        found = f"that they place its corners up to {apart_mm:.3g} mm apart{turned}"
    elif placement.qform is None and int(header["qform_code"]) > 0:
        found = "a qform that cannot be read"
    else:
        return placement, ()
    advice = "make them agree: the sform counts here, and other tools may take the qform"
    return placement, (f"{path}: expected sform and qform that agree, found {found}; {advice}",)


def unit_mm(header: nibabel.Nifti1Header) -> float:
    """Millimetres in the unit of the header's sform, qform and pixdim."""
    return _UNIT_MM.get(int(header["xyzt_units"]) & _UNIT_BITS, 1.0)


def qform_affine(path: str | os.PathLike, header: nibabel.Nifti1Header) -> np.ndarray:
    """[4, 4] float64 affine that the qform stands for, in the unit of the header, or InputError."""
    parts = [float(header[f"quatern_{axis}"]) for axis in "bcd"]
    squares = sum(part * part for part in parts)
    # Written so that NaN fails as well.
    if not squares <= 1 + _QUATERNION_EXCESS:
        expected = "quatern_b, quatern_c and quatern_d whose squares add up to at most 1"
        raise InputError(path, expected, f"{squares:.8g}", "correct the qform, or set an sform")
    header = header.copy()
    if squares > 1:
        # A half turn that a writer has rounded: the fourth part counts as 0, and the others are scaled to length 1.
        header.quaternion_threshold = -2 * _QUATERNION_EXCESS
    if float(header["pixdim"][0]) == 0:
        # The standard reads a handedness of 0 as 1.
        header["pixdim"][0] = 1
    try:
        return np.asarray(header.get_qform(), np.float64)
    except (HeaderDataError, ValueError) as error:
        raise InputError(path, "a qform that can be read", error, "correct the qform, or set an sform") from error


def unreadable(path: str | os.PathLike, error: Exception) -> InputError:
    """The error for a file that ends early or whose content is damaged."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(path, "a whole NIfTI file", f"that reading failed ({reason})", "copy or download it again")


def _check_agreement(path: str | os.PathLike, placement: Placement, shape: tuple[int, int, int]) -> None:
    """Refuses forms of which one swaps the patient's sides or turns the scan: nothing else could tell which one is right."""
    apart_mm = placement.apart_mm(shape)
    if apart_mm > _MOST_APART_MM and placement.is_turned:
        raise InputError(
            path,
            "sform and qform that agree on the patient's directions",
            f"that one mirrors or turns the other, with corners up to {apart_mm:.3g} mm apart",
            "find out which is right and write it as both; or choose the orientation policy trust_affine, which takes the "
            "sform, and check which side the liver is on",
        )


def _placement(path: str | os.PathLike, header: nibabel.Nifti1Header, policy: str) -> Placement:
    """The forms that count, in millimetres; a qform that cannot be read does not count beside an sform."""
    sform_code, qform_code = (min(int(header[name]), _LARGEST_CODE) for name in ("sform_code", "qform_code"))
    if sform_code <= 0 and qform_code <= 0:
        sform_code, qform_code = _trusted_codes(path, header, policy)
    sform = np.array(header.get_sform(), np.float64) if sform_code > 0 else None
    qform = None
    if qform_code > 0:
        try:
            qform = qform_affine(path, header)
        except InputError:
            if sform is None:
                raise
    if sform is not None and qform is not None and not np.isfinite(qform).all():
        qform = None
    for form in (sform, qform):
        if form is not None:
            form[:3] *= unit_mm(header)
    return Placement(sform, qform, sform_code, qform_code)


def _trusted_codes(path: str | os.PathLike, header: nibabel.Nifti1Header, policy: str) -> tuple[int, int]:
    """Codes of sform and qform, of which one is above 0, where the header says of neither that it counts."""
    if policy == "strict":
        raise InputError(
            path,
            "a known orientation",
            "sform and qform codes of 0",
            "set one of them in the header, or choose the orientation policy trust_affine and check which side the liver is on",
        )
    if np.any(header.get_sform()[:3, :3]):
        return 1, 0
    names = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
    if not any(float(header[name]) for name in names):
        raise InputError(path, "an affine to trust", "none in the header", "set the sform or qform")
    return 0, 1
