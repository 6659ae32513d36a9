"""Where answers go, and checks of their names before work that takes minutes."""

from collections.abc import Iterable
from pathlib import Path

from attent_tf.errors import InputError

_SUFFIXES = (".nii.gz", ".nii")


def check_nifti_name(path: str) -> None:
    """Refuses a name that is no NIfTI file's, or that of a folder."""
    if not path.endswith(_SUFFIXES):
        raise InputError(f"--out {path}: expected a name that ends in .nii or .nii.gz")
    if Path(path).is_dir():
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
    if out.endswith(_SUFFIXES) or folder.is_file():
        raise InputError(
            f"--out {out}: expected a folder, because {source} is a folder of {len(found.scans)} scans; found a file's name"
        )
    if folder.resolve().is_relative_to(Path(source).resolve()):
        raise InputError(f"--out {out}: expected a folder outside of {source}, or answers would be taken for scans")
    return {scan.name: folder / f"{scan.name}.nii.gz" for scan in found.scans}


def beside(answer: Path, what: str, suffix: str | None = None) -> Path:
    """Returns `labels_entropy.nii.gz` for `labels.nii.gz` and `entropy`; with another suffix where one is given."""
    kept = next(ending for ending in _SUFFIXES if answer.name.endswith(ending))
    return answer.with_name(f"{answer.name.removesuffix(kept)}_{what}{suffix or kept}")


def check_writes(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuses outputs of one name, outputs in the place of an input, and folders that cannot be.

    Raises:
      InputError: there are such.
    """
    scans = {path.resolve() for path in inputs}
    seen = set()
    for path in outputs:
        place = path.resolve()
        if place in scans:
            raise InputError(
                f"{path}: expected an output in a place of its own, found the scan itself; choose another --out"
            )
        if place in seen:
            raise InputError(
                f"{path}: expected one output of this name, found two; rename a scan or give them one by one"
            )
        seen.add(place)
        if place.is_dir():
            raise InputError(f"{path}: expected a file to write, found a folder; choose another --out")
        above = next(folder for folder in place.parents if folder.exists())
        if not above.is_dir():
            raise InputError(f"{path}: expected a folder above it, found the file {above}; choose another --out")
