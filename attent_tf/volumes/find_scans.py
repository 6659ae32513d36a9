"""Which scans a path stands for: one file, one series, or a folder of them."""

import dataclasses
import os
from pathlib import Path

from attent_tf.errors import InputError
from attent_tf.names import clash_key, normal_name
from attent_tf.volumes.dicom_content import is_dicom_file
from attent_tf.volumes.dicom_files import candidate_files, is_dicom, is_dicom_by_name
from attent_tf.volumes.nifti_header import is_nifti_name, nifti_stem


@dataclasses.dataclass(frozen=True)
class FoundScan:
    """A scan that is there to be read.

    Attributes:
      path: a NIfTI file, or the folder of a DICOM series.
      name: what files made of it are called; no two of a folder share one.
    """

    path: Path
    name: str


@dataclasses.dataclass(frozen=True)
class FoundScans:
    """The scans that a path stands for.

    Attributes:
      scans: the scans in the order of their names.
      single: whether the path is a scan itself, and no folder of scans.
    """

    scans: tuple[FoundScan, ...]
    single: bool


def find_scans(path: str | os.PathLike) -> FoundScans:
    """Finds the scans that a path stands for, without reading them.

    A folder that holds DICOM files and nothing else that could be a scan is one scan. In any other folder each NIfTI file,
    and each folder below it that holds DICOM files, is one, whether or not it can be read: what cannot is reported then.

    Args:
      path: a NIfTI file, the folder of a DICOM series, or a folder of scans.

    Raises:
      InputError: there is nothing at `path`, or no scan in it, or two of them would be called the same.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(path, "a NIfTI file, a DICOM folder or a folder of scans", "nothing", "check the path")
    if not path.is_dir():
        if is_dicom_file(path):
            raise InputError(
                path, "a NIfTI file or a folder", "one DICOM file", "give the folder that holds its series"
            )
        return FoundScans(
            (FoundScan(path, _joined(nifti_stem(path) if is_nifti_name(path) else path.stem)),), single=True
        )
    scans = _below(path)
    if not scans:
        raise InputError(
            path, "NIfTI files or DICOM slices", "none", "give the file or the folder that holds the scans"
        )
    if [scan.path for scan in scans] == [path]:
        return FoundScans(tuple(scans), single=True)
    by_name = {}
    for scan in sorted(scans, key=lambda scan: scan.name):
        namesake = by_name.setdefault(clash_key(scan.name), scan)
        if namesake is not scan:
            found = f"{namesake.path} and {scan.path}, both called {scan.name}, whatever the capitals"
            raise InputError(path, "scans that differ in name", found, "rename one")
    return FoundScans(tuple(by_name.values()), single=False)


def _below(root: Path) -> list[FoundScan]:
    scans, seen, closed = [], set(), []
    for folder, folders, names in os.walk(root, onerror=closed.append, followlinks=True):
        # A link to a folder above must not lead around for ever.
        place = os.path.realpath(folder)
        folders[:] = [] if place in seen else sorted(name for name in folders if name[0] != ".")
        if place in seen:
            continue
        seen.add(place)
        folder = Path(folder)
        relative = folder.relative_to(root).parts
        images = [name for name in sorted(names) if is_nifti_name(name) and name[0] != "."]
        scans += [FoundScan(folder / name, _joined(*relative, nifti_stem(name))) for name in images]
        if _holds_dicom(folder):
            scans.append(FoundScan(folder, _folder_name(folder, root)))
    # Nobody knows what a folder holds that cannot be listed; as a scan, it is reported where it is read.
    return scans + [FoundScan(Path(error.filename), _folder_name(Path(error.filename), root)) for error in closed]


def _folder_name(folder: Path, root: Path) -> str:
    return _joined(*folder.relative_to(root).parts) or _joined(root.resolve().name)


def _joined(*parts: str) -> str:
    return normal_name("_".join(parts))


def _holds_dicom(folder: Path) -> bool:
    candidates = candidate_files(folder)
    return any(map(is_dicom_by_name, candidates)) or any(map(is_dicom, candidates))
