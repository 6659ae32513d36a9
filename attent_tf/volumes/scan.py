"""A single scan without labels, which a user wants to have segmented."""

import dataclasses
import os
from pathlib import Path

import numpy as np

from attent_tf.choices import OrientationPolicy
from attent_tf.errors import InputError
from attent_tf.tasks import Domain
from attent_tf.volumes.dicom_files import folder_files
from attent_tf.volumes.dicom_series import Series, choose_series, find_slices, read_voxels
from attent_tf.volumes.nifti import read_nifti
from attent_tf.volumes.nifti_header import nifti_stem, read_placement
from attent_tf.volumes.placement import Placement
from attent_tf.volumes.series_geometry import series_affine
from attent_tf.volumes.volume import Volume


def read_scan(
    path: str | os.PathLike,
    domain: Domain,
    case: str | None = None,
    orientation_policy: OrientationPolicy = "strict",
    series: str | None = None,
) -> Volume:
    """Reads a scan without labels.

    Args:
      path: a NIfTI file, or a folder that holds the DICOM slices of one series.
      domain: the domain that it is read as.
      case: identifier; the name of the file or folder if None.
      orientation_policy: for a NIfTI file whose codes of sform and qform are 0, see `read_nifti`.
      series: SeriesInstanceUID or number of the series that is wanted, where the folder holds several.

    Raises:
      InputError: the file cannot be used, or the folder holds more or less than one series.
    """
    path = Path(path)
    if path.is_dir():
        voxels, affine, warnings = _read_series(path, domain, series)
        name, placement = case or path.resolve().name, Placement.of(affine)
        return Volume(voxels, affine, name, domain, path=str(path), placement=placement, warnings=warnings)
    if not path.exists():
        raise InputError(path, "a NIfTI file or a folder of DICOM slices", "nothing", "check the path")
    if series is not None:
        raise InputError(path, f"a folder of DICOM slices with the series {series}", "a file", "leave the series out")
    voxels, affine = read_nifti(path, orientation_policy)
    placement, warnings = read_placement(path, orientation_policy)
    name = case or nifti_stem(path)
    return Volume(voxels, affine, name, domain, path=str(path), placement=placement, warnings=warnings)


def scan_series(folder: str | os.PathLike, domain: Domain, series: str | None = None) -> Series:
    """Finds the slices in a folder that make a scan, without reading their pixels.

    Args:
      folder: holds the DICOM slices of a series, and perhaps other files.
      domain: the domain that it is read as.
      series: SeriesInstanceUID or number of the one that is wanted, where there are several.

    Returns:
      The slices in the order in which `read_scan` stacks them.

    Raises:
      InputError: the folder does not hold one series.
    """
    files = folder_files(folder)
    chosen = choose_series(find_slices(files.dicom), domain, folder, series, files.others)
    return dataclasses.replace(chosen, headers=tuple(sorted(chosen.headers, key=lambda header: header.height_mm)))


def _read_series(folder: Path, domain: Domain, series: str | None) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    chosen = scan_series(folder, domain, series)
    affine = series_affine(chosen.headers, str(folder))
    return read_voxels(chosen.headers).T, affine, chosen.warnings
