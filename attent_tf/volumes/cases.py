"""Cases of a data folder, whatever its layout, and what their files hold."""

import dataclasses
import os
import re
from pathlib import Path

from attent_tf.errors import InputError
from attent_tf.organs import DOMAINS


@dataclasses.dataclass(frozen=True)
class CaseFiles:
    """The files of one case: small, so that it can travel between workers.

    Attributes:
      case: stable identifier such as `chaos-1`, `malbcv-0001` or `nifti-<name>`.
      domain: `mri` or `ct`.
      dataset: the layout, `chaos`, `malbcv` or `nifti`.
      images: absolute paths; one NIfTI file, or DICOM slices in the order of their numbers.
      labels: absolute paths that go with `images` one to one; empty where the case has no labels.
    """

    case: str
    domain: str
    dataset: str
    images: tuple[str, ...]
    labels: tuple[str, ...]


def check_domain(domain: str) -> None:
    """Raises InputError unless `domain` is one."""
    if domain not in DOMAINS:
        raise InputError(f"domain: expected one of {', '.join(DOMAINS)}, found {domain!r}")


def natural_key(path: str | os.PathLike) -> tuple:
    """Sorts names by the numbers in them: 2 comes before 10."""
    parts = re.split(r"(\d+)", Path(path).name)
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in parts)


def visible_files(folder: Path) -> list[Path]:
    """Files of a folder in natural order, without hidden ones (archives leave `._name` files behind)."""
    return sorted((path for path in folder.iterdir() if path.is_file() and path.name[0] != "."), key=natural_key)


def visible_folders(folder: Path) -> list[Path]:
    """Sub-folders of a folder in natural order, without hidden ones."""
    return sorted((path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."), key=natural_key)
