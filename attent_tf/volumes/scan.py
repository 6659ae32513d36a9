"""A single scan without labels, such as a user wants segmented."""

import os
from pathlib import Path, PurePath

import numpy as np

from attent_tf.errors import ConfigError, InputError
from attent_tf.organs import DOMAINS
from attent_tf.volumes.dicom import read_slice, series_affine
from attent_tf.volumes.nifti import read_nifti
from attent_tf.volumes.nifti_header import MAX_VOXELS, nifti_stem, read_placement
from attent_tf.volumes.placement import Placement
from attent_tf.volumes.volume import Volume

# What often lies beside slices.
_OTHER_SUFFIXES = {
    ".txt",
    ".xml",
    ".json",
    ".csv",
    ".pdf",
    ".png",
    ".jpg",
    ".htm",
    ".html",
    ".md",
    ".ini",
    ".inf",
    ".exe",
}


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
      ConfigError: there is no such domain.
    """
    if domain not in DOMAINS:
        raise ConfigError(f"domain: expected one of {', '.join(DOMAINS)}; received {domain!r}")
    path = Path(path)
    if path.is_dir():
        voxels, affine = _read_series(path, domain)
        name = case or path.resolve().name
        return Volume(voxels, affine, name, domain, path=str(path), placement=Placement.of(affine))
    if not path.exists():
        raise InputError(path, "a NIfTI file or a folder of DICOM slices", "nothing", "check the path")
    voxels, affine = read_nifti(path, orientation_policy)
    placement, warnings = read_placement(path, orientation_policy)
    name = case or nifti_stem(path)
    return Volume(voxels, affine, name, domain, path=str(path), placement=placement, warnings=warnings)


def slice_files(names: list[str]) -> list[str]:
    """Returns those files of a series' folder that are its slices.

    Many archives give slices another suffix than `.dcm` or none; where some files have it, the others are something else.
    """
    names = [name for name in names if PurePath(name).name.upper() != "DICOMDIR"]
    marked = [name for name in names if name.lower().endswith(".dcm")]
    return marked or [name for name in names if PurePath(name).suffix.lower() not in _OTHER_SUFFIXES]


def series_files(folder: str | os.PathLike) -> list[Path]:
    """Returns the files of a folder that look like the slices of a series, by name."""
    entries = (entry for entry in Path(folder).iterdir() if entry.is_file() and entry.name[0] != ".")
    return [Path(folder) / name for name in slice_files(sorted(entry.name for entry in entries))]


def _read_series(folder: Path, domain: str) -> tuple[np.ndarray, np.ndarray]:
    files = series_files(folder)
    if not files:
        raise InputError(folder, "DICOM slices", "no such files", "give the folder that holds them")
    headers, voxels = [], None
    for place, path in enumerate(files):
        header, pixels = read_slice(path, domain)
        headers.append(header)
        if voxels is None:
            if len(files) * pixels.size > MAX_VOXELS:
                found = f"{len(files)} files of {pixels.size}"
                raise InputError(folder, f"at most {MAX_VOXELS} voxels", found, "give one series, or crop it")
            # Each slice goes to its place at once: a list of slices that is then stacked takes twice the memory.
            voxels = np.empty((len(files), *pixels.shape), np.float32)
        # Slices of another size are told below, with their names.
        if pixels.shape == voxels.shape[1:]:
            voxels[place] = pixels
    order = np.argsort([header.height_mm for header in headers], kind="stable")
    affine = series_affine([headers[place] for place in order], str(folder))
    return _in_order(voxels, order).T, affine


def _in_order(voxels: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Slices in the order given: a view where they already run that way or the other way around, as mostly they do."""
    steps = np.diff(order)
    if (steps == 1).all():
        return voxels
    return voxels[::-1] if (steps == -1).all() else voxels[order]
