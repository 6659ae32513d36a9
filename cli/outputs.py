"""Where answers go, and checks of their names before work that takes minutes."""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attent_tf.counting import counted
from attent_tf.errors import InputError, Problem
from attent_tf.names import LONGEST_FILE_NAME, clash_key, name_problem

_SUFFIXES = (".nii.gz", ".nii")


def check_nifti_name(path: str) -> None:
    """Refuses a name that is no NIfTI file's, or that of a folder."""
    if not path.endswith(_SUFFIXES):
        raise InputError(f"--out {path}: expected a name that ends in .nii or .nii.gz")
    if os.path.isdir(path):
        raise InputError(f"--out {path}: expected a file name, found a folder")


def answer_paths(found, source: str, out: str) -> dict[str, Path]:
    """Returns where the answer of each scan goes, by the scan's name.

    Args:
      found: from `find_scans`.
      source: the path that was searched.
      out: a NIfTI file for a single scan, a folder for a folder of scans.

    Raises:
      InputError: `out` is the other kind, or lies in the folder of scans.
    """
    if found.single:
        check_nifti_name(out)
        return {found.scans[0].name: Path(out)}
    folder = Path(out)
    if out.endswith(_SUFFIXES) or os.path.isfile(folder):
        raise InputError(
            f"--out {out}: expected a folder, because {source} is a folder of {counted(len(found.scans), 'scan')}; "
            "found a file's name"
        )
    if folder.resolve().is_relative_to(Path(source).resolve()):
        raise InputError(f"--out {out}: expected a folder outside of {source}, or answers would be taken for scans")
    return {scan.name: folder / f"{scan.name}.nii.gz" for scan in found.scans}


def beside(answer: Path, kind: str, suffix: str | None = None) -> Path:
    """Returns `labels_entropy.nii.gz` for `labels.nii.gz` and `entropy`; with another suffix where one is given."""
    ending = next(ending for ending in _SUFFIXES if answer.name.endswith(ending))
    return answer.with_name(f"{answer.name.removesuffix(ending)}_{kind}{suffix or ending}")


def refused_names(found, outputs: Mapping[str, Sequence[Path]]) -> dict[str, InputError]:
    """Returns, by their names, the scans of a folder that no files can be named after, each with the reason.

    Args:
      found: from `find_scans`.
      outputs: all files that are wanted of a scan, by its name.

    Raises:
      InputError: the only scan is such.
    """
    refused = {}
    for scan in found.scans:
        # The files of a single scan are called as `--out` says.
        problem = None if found.single else name_problem(scan.path, scan.name)
        for path in outputs[scan.name]:
            problem = problem or _too_long(scan.path, path)
        if problem is not None:
            refused[scan.name] = InputError(*dataclasses.astuple(problem))
            if found.single:
                raise refused[scan.name]
    return refused


def check_writes(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuses outputs of one name, outputs in the place of an input, and folders that cannot be.

    Raises:
      InputError: there are such.
    """
    scans = {path.resolve() for path in inputs}
    seen = set()
    for path in outputs:
        place = path.resolve()
        for part in (place, *place.parents):
            if problem := _too_long(path, part):
                raise InputError(*dataclasses.astuple(problem))
        if place in scans:
            raise InputError(
                f"{path}: expected an output in a place of its own, found the scan itself; choose another --out"
            )
        if clash_key(str(place)) in seen:
            raise InputError(
                f"{path}: expected one output of this name, found two; rename a scan or give them one by one"
            )
        seen.add(clash_key(str(place)))
        if place.is_dir():
            raise InputError(f"{path}: expected a file to write, found a folder; choose another --out")
        above = next(folder for folder in place.parents if folder.exists())
        if not above.is_dir():
            raise InputError(f"{path}: expected a folder above it, found the file {above}; choose another --out")
        if not os.access(above, os.W_OK | os.X_OK):
            raise InputError(
                f"{path}: expected a folder that can be written to, found that {above} cannot; choose another --out"
            )


def _too_long(where: Path, output: Path) -> Problem | None:
    """Tells of a name that is longer than those that the file system of its folder takes."""
    size, most = len(os.fsencode(output.name)), _longest_name(output.parent)
    if size <= most:
        return None
    expected = f"names of at most {most} bytes for what is made of it"
    return Problem(
        str(where), expected, f"{size} bytes in {output.name}", "give it, or the folders above it, shorter names"
    )


def _longest_name(folder: Path) -> int:
    existing = next((place for place in (folder, *folder.parents) if os.path.exists(place)), "/")
    try:
        return min(LONGEST_FILE_NAME, os.pathconf(existing, "PC_NAME_MAX"))
    except (OSError, ValueError):
        return LONGEST_FILE_NAME
