"""Which files of two folders are the same case: pure functions of their names."""

import dataclasses
import difflib
from collections.abc import Sequence

from attent_tf.counting import counted
from attent_tf.datasets.cases import natural_key
from attent_tf.datasets.description import DatasetDescription
from attent_tf.datasets.matching import image_groups
from attent_tf.errors import InputError, Problem
from attent_tf.names import clash_key, name_problem
from attent_tf.scoring.label_map import LabelMap, LabelSide
from attent_tf.volumes.nifti_header import is_nifti_name


@dataclasses.dataclass(frozen=True)
class SideFiles:
    """The files of one side of a case.

    Attributes:
      paths: one for each entry of the side's `patterns`; empty if there is none.
      problem: why they cannot be read, or None.
    """

    paths: tuple[str, ...]
    problem: Problem | None


@dataclasses.dataclass(frozen=True)
class CasePair:
    """One case on both sides."""

    case: str
    prediction: SideFiles
    reference: SideFiles


@dataclasses.dataclass(frozen=True)
class Pairs:
    """All cases of both folders in natural order, and lines about files that fit no pattern."""

    cases: tuple[CasePair, ...]
    notes: tuple[str, ...]


def pair_folders(
    label_map: LabelMap, predictions: Sequence[str], references: Sequence[str], shown: tuple[str, str]
) -> Pairs:
    """Pairs the files of two folders.

    Args:
      label_map: says how files are called.
      predictions: paths relative to their folder, with `/` between parts.
      references: likewise.
      shown: what messages call the two folders.

    Returns:
      Every case that either folder holds.

    Raises:
      InputError: a folder holds no file that fits, no case is in both, or two have names that some systems cannot tell apart.
    """
    sides = (label_map.predictions, label_map.references)
    groups, notes = [], []
    for side, paths, folder in zip(sides, (predictions, references), shown, strict=True):
        found = _found(side, paths)
        if not any(found):
            expected = " or ".join(pattern for _, pattern in side.patterns[:2])
            found_instead = next((path for path in paths if is_nifti_name(path)), "no NIfTI file")
            advice = f"say in the label map how {side.name} are called"
            raise InputError(folder, f"{side.name} called {expected}", found_instead, advice)
        groups.append(found)
        notes += _strangers(side, paths, found, folder)
    keys = [set().union(*found) for found in groups]
    if not keys[0] & keys[1]:
        _refuse_without_pairs(keys, shown)
    _refuse_clashes(keys[0] | keys[1], shown)
    cases = []
    for key in sorted(keys[0] | keys[1], key=lambda key: (natural_key(key[0]), natural_key(key[1]))):
        prediction, reference = (
            _files(side, key, found, folder) for side, found, folder in zip(sides, groups, shown, strict=True)
        )
        cases.append(CasePair(_case(key), prediction, reference))
    return Pairs(tuple(cases), tuple(notes))


def image_paths(label_map: LabelMap, paths: Sequence[str]) -> dict[str, str]:
    """Returns the image of each case among `paths`."""
    description = DatasetDescription(name="images", images=label_map.images, modality="any")
    return {_case(key): files[0] for key, files in image_groups(description, paths).items()}


def _found(side: LabelSide, paths: Sequence[str]) -> list[dict[tuple[str, str], tuple[str, ...]]]:
    """For each pattern of the side its files by (patient, case)."""
    return [image_groups(dataclasses.replace(side.description, images=pattern), paths) for _, pattern in side.patterns]


def _case(key: tuple[str, str]) -> str:
    return "-".join(filter(None, key))


def _filled(pattern: str, key: tuple[str, str]) -> str:
    return pattern.replace("{patient}", key[0]).replace("{case}", key[1])


def _files(side: LabelSide, key: tuple[str, str], found, folder: str) -> SideFiles:
    name = _case(key)
    kind = side.name.removesuffix("s")
    wanted = [f"{folder}/{_filled(pattern, key)}" for _, pattern in side.patterns]
    held = [group.get(key, ()) for group in found]
    problem = None
    if not any(held):
        problem = Problem(
            wanted[0], f"the {kind} of case {name}", "none", "add it, or exclude the case in the label map"
        )
    elif unfit := name_problem(f"{folder}/{next(files for files in held if files)[0]}", name):
        problem = unfit
    else:
        for (structure, _), place, files in zip(side.patterns, wanted, held, strict=True):
            if not files:
                problem = Problem(place, f"the mask of {structure} of case {name}", "none", "add it, empty if need be")
            elif len(files) > 1:
                problem = Problem(
                    f"{folder}/{files[1]}", "one file for a case", f"{files[0]} too", "remove one of them"
                )
    return SideFiles(tuple(f"{folder}/{files[0]}" if files else "" for files in held), problem)


def _strangers(side: LabelSide, paths: Sequence[str], found, folder: str) -> list[str]:
    """A line about NIfTI files that look like label maps and fit no pattern; masks of other structures are no strangers."""
    if side.description.masks or side.description.cases or side.description.exclude:
        return []
    known = {path for group in found for files in group.values() for path in files}
    folders = {path.rpartition("/")[0] for path in known}
    others = [p for p in paths if is_nifti_name(p) and p not in known and p.rpartition("/")[0] in folders]
    if not others:
        return []
    count = counted(len(others), "NIfTI file")
    return [f"{folder}: {count} not called {side.description.labels}, such as {others[0]}; nothing reads them."]


def _refuse_clashes(keys: set, shown: tuple[str, str]) -> None:
    """Files are named after cases, and not all file systems tell `A.npz` from `a.npz`."""
    seen: dict[str, str] = {}
    for name in sorted(map(_case, keys), key=natural_key):
        if clash_key(name) in seen:
            where, expected = " and ".join(shown), "cases that differ in more than capital letters"
            found = f"{seen[clash_key(name)]} and {name}"
            raise InputError(
                where, expected, found, "give a case the same name on both sides, and no other case that name"
            )
        seen[clash_key(name)] = name


def _refuse_without_pairs(keys: Sequence[set], shown: tuple[str, str]) -> None:
    predictions, references = (sorted(map(_case, side), key=natural_key) for side in keys)
    near = difflib.get_close_matches(predictions[0], references, n=1, cutoff=0.0)
    raise InputError(
        shown[0],
        f"cases called as in {shown[1]}, such as {near[0] if near else references[0]}",
        predictions[0],
        "say in the label map where in the names {case} stands",
    )
