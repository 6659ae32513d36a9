"""Data folders to cases, cases and single scans to volumes."""

import os
from pathlib import Path

import numpy as np

from attent_tf.errors import InputError
from attent_tf.volumes.cases import CaseFiles, check_domain, visible_files
from attent_tf.volumes.chaos import find_chaos_cases, find_mr_folder, read_chaos_case
from attent_tf.volumes.dicom import read_slice, stack_slices
from attent_tf.volumes.malbcv import find_malbcv_cases, find_training_folder, read_malbcv_case
from attent_tf.volumes.nifti import read_nifti
from attent_tf.volumes.nifti_header import nifti_stem
from attent_tf.volumes.plain import find_plain_cases, find_plain_folder, read_plain_case
from attent_tf.volumes.volume import Volume

_LAYOUTS = (
    (find_mr_folder, find_chaos_cases),
    (find_training_folder, find_malbcv_cases),
    (find_plain_folder, find_plain_cases),
)
_LOOKED_FOR = "Train_Sets/MR (CHAOS), RawData/Training/img (MALBCV), images/*.nii.gz (plain)"


def find_cases(root: str | os.PathLike, domain: str) -> list[CaseFiles]:
    """Finds the cases of a data folder by its layout; no scan is read.

    Args:
      root: CHAOS (the folder that holds `Train_Sets`, `Train_Sets`, or `MR`; domain `mri`), MALBCV (the folder that
        holds `RawData`, `RawData`, or `Training`; domain `ct`), or a folder with `images` and perhaps `labels` (any
        domain).
      domain: `mri` or `ct`.

    Returns:
      At least one case, in natural order.

    Raises:
      InputError: the folder is missing, incomplete, of no known layout, or of the other domain.
    """
    check_domain(domain)
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: expected the folder of a data set, found none; check the path")
    for find_folder, find in _LAYOUTS:
        folder = find_folder(root)
        if folder is not None:
            return find(folder, domain)
    raise InputError(
        f"{root}: expected a data set, looked for {_LOOKED_FOR} and found none of them; give its top folder"
    )


def read_case(files: CaseFiles, orientation_policy: str = "strict") -> Volume:
    """Reads a case in stored orientation, with labels as class indices.

    Args:
      files: from `find_cases`.
      orientation_policy: for NIfTI files whose codes of sform and qform are 0, see `read_nifti`.

    Raises:
      InputError: a file cannot be used; the message names it.
    """
    if files.dataset == "chaos":
        return read_chaos_case(files)
    if files.dataset == "malbcv":
        return read_malbcv_case(files, orientation_policy)
    return read_plain_case(files, orientation_policy)


def read_scan(
    path: str | os.PathLike, domain: str, case: str | None = None, orientation_policy: str = "strict"
) -> Volume:
    """Reads a scan without labels.

    Args:
      path: a NIfTI file, or a folder that holds the DICOM slices of one series.
      domain: `mri` or `ct`.
      case: identifier; the name of the file or folder if None.
      orientation_policy: for a NIfTI file whose codes of sform and qform are 0, see `read_nifti`.

    Raises:
      InputError: the file cannot be used, or the folder holds more or less than one series.
    """
    check_domain(domain)
    path = Path(path)
    if path.is_dir():
        voxels, affine = _read_series(path, domain)
        return Volume(voxels, affine, case or path.resolve().name, domain)
    if not path.exists():
        raise InputError(f"{path}: expected a NIfTI file or a folder of DICOM slices, found nothing; check the path")
    voxels, affine = read_nifti(path, orientation_policy)
    return Volume(voxels, affine, case or nifti_stem(path), domain)


def _read_series(folder: Path, domain: str) -> tuple[np.ndarray, np.ndarray]:
    files = [path for path in visible_files(folder) if path.name != "DICOMDIR"]
    # Many archives give slices no suffix; where some files have one, the others are something else.
    files = [path for path in files if path.suffix.lower() == ".dcm"] or files
    if not files:
        raise InputError(f"{folder}: expected DICOM slices, found no files; give the folder that holds them")
    slices = sorted((read_slice(path, domain) for path in files), key=lambda one: one.height_mm)
    return stack_slices(slices, str(folder))
