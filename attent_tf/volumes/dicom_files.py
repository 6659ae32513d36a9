"""Which files of a folder are DICOM: by name where that tells, by the first bytes where it does not.

Looking into a file takes a request on an object store, so what is called `.dcm` or as other things are called is not opened.
"""

import dataclasses
import os
from pathlib import Path, PurePath

from attent_tf.errors import InputError
from attent_tf.storage import open_binary
from attent_tf.volumes.dicom_content import FIRST_BYTES, looks_like_dicom
from attent_tf.volumes.nifti_header import is_nifti_name

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

# The table of contents of a disc: DICOM, and never a slice.
_CONTENTS = "DICOMDIR"


@dataclasses.dataclass(frozen=True)
class FolderFiles:
    """The visible files of one folder, sorted by name; scans in NIfTI and DICOMDIR are in neither list.

    Attributes:
      dicom: those that are DICOM, slices or not.
      others: those that are not.
    """

    dicom: tuple[Path, ...]
    others: tuple[Path, ...]


def is_dicom_by_name(path: str | os.PathLike) -> bool | None:
    """Whether a name says that a file is DICOM; None if only its content tells."""
    name = PurePath(path).name
    if name.lower().endswith(".dcm"):
        return True
    is_other = name.upper() == _CONTENTS or PurePath(name).suffix.lower() in _OTHER_SUFFIXES or is_nifti_name(name)
    return False if is_other else None


def is_dicom(path: str | os.PathLike) -> bool:
    """Whether a file is DICOM by its name or, where that does not tell, by its first bytes.

    One that cannot be looked into may be a slice: it counts as one, so that whoever reads it says why it cannot be read.
    """
    told = is_dicom_by_name(path)
    if told is not None:
        return told
    try:
        with open_binary(path) as file:
            return looks_like_dicom(file.read(FIRST_BYTES))
    except OSError:
        return True


def is_left_out_silently(path: str | os.PathLike) -> bool:
    """Whether nobody takes a file for a lost slice: a table of contents, or a scan of its own."""
    return PurePath(path).name.upper() == _CONTENTS or is_nifti_name(path)


def candidate_files(folder: str | os.PathLike) -> list[Path]:
    """Returns the files of a folder that may be DICOM as far as their names tell, sorted; none is opened."""
    return [path for path in _visible(folder) if is_dicom_by_name(path) is not False]


def folder_files(folder: str | os.PathLike) -> FolderFiles:
    """Tells which files of a folder are DICOM.

    Raises:
      InputError: the folder cannot be listed.
    """
    dicom, others = [], []
    for path in _visible(folder):
        if is_dicom(path):
            dicom.append(path)
        elif not is_left_out_silently(path):
            others.append(path)
    return FolderFiles(tuple(dicom), tuple(others))


def _visible(folder: str | os.PathLike) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name[0] != "." and entry.is_file())
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        raise InputError(folder, "a folder that can be listed", found, "see who may read it") from error
    return [Path(folder) / name for name in names]
