"""From the names of files to cases: pure functions of a description and a list of relative paths."""

import collections
import dataclasses
import functools
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

from attent_tf.counting import counted
from attent_tf.datasets.cases import natural_key
from attent_tf.datasets.description import DatasetDescription
from attent_tf.errors import Problem
from attent_tf.names import name_problem, normal_name
from attent_tf.volumes.dicom_files import is_dicom_by_name

# All slices without a patient are one, whom splits never part.
_UNKNOWN = "unknown"

_SCAN_SUFFIXES = (".nii", ".nii.gz", ".dcm")


@dataclasses.dataclass(frozen=True)
class MatchedCase:
    """A case by what `{patient}` and `{case}` stand for, with its files relative to the folder.

    Attributes:
      patient: empty where the patterns have no `{patient}`.
      case: never empty.
      images, labels: as in `CaseFiles`; labels are empty where they are missing or do not go with the images.
      others: as in `CaseFiles`.
    """

    patient: str
    case: str
    images: tuple[str, ...]
    labels: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Matches:
    """What was found: whole cases, and problems with the identifier of the case that each belongs to, or none."""

    cases: tuple[MatchedCase, ...]
    problems: tuple[tuple[str, Problem], ...]


@functools.lru_cache
def pattern_expression(pattern: str) -> re.Pattern[str]:
    """Returns the regular expression of a pattern for paths from `normal_name`, with `case` and, if it is there, `patient`."""
    expression, seen = "", set()
    pattern = normal_name(pattern)
    suffix = re.search(r"\.nii(\.gz)?$", pattern, re.IGNORECASE)
    stem = pattern[: suffix.start()] if suffix else pattern
    for part in re.split(r"(\{case\}|\{patient\}|\*\*/|\*)", stem):
        if part == "**/":
            expression += r"(?:.*/)?"
        elif part == "*":
            expression += r"[^/]*"
        elif part in ("{case}", "{patient}"):
            name = part[1:-1]
            expression += rf"(?P={name})" if name in seen else rf"(?P<{name}>[^/]+?)"
            seen.add(name)
        else:
            expression += re.escape(part)
    return re.compile(expression + (r"\.nii(?:\.gz)?" if suffix else ""), re.IGNORECASE)


def match_cases(
    description: DatasetDescription, paths: Sequence[str], shown: str, no_dicom: Collection[str] = ()
) -> Matches:
    """Finds the cases among the files of one folder.

    Args:
      description: the data set.
      paths: relative to the folder in which patterns begin, with `/` between parts.
      shown: what messages put before a path: the folder and a `/`.
      no_dicom: those of `paths` that fit a pattern of slices and are none by their content.

    Returns:
      Cases in natural order, and the problems of names and pairs. Nothing is read.
    """
    problems: list[tuple[str, Problem]] = []
    images = image_groups(description, paths, no_dicom)
    others = {} if description.is_file_a_case else _groups(description, description.images, no_dicom)
    label_patterns = [pattern for _, pattern in description.masks] or [description.labels] * bool(description.labels)
    labels = [_groups(description, pattern, paths) for pattern in label_patterns]
    known = {path for group in (images, *labels) for files in group.values() for path in files}
    hollow = {key: files for key, files in others.items() if key not in images and any(map(_may_be_slice, files))}
    problems += [(case_name(description, *key), _hollow(hollow[key], shown)) for key in sorted(hollow, key=_key_order)]
    problems += _strangers(description, paths, known, images.keys() | hollow.keys(), shown)
    labelled = any(labels)
    cases = []
    for key in sorted(images.keys() | (set().union(*labels) if labelled else set()), key=_key_order):
        name = case_name(description, *key)
        found = images.get(key, ()), [group.get(key, ()) for group in labels]
        pairs, faults = _paired(_filled(description, *key), *found, labelled, shown)
        files = [*found[0], *(path for group in found[1] for path in group)]
        faults += filter(None, [name_problem(shown + files[0], name), _spelled_twice(files, shown)])
        problems += [(name, fault) for fault in faults]
        if not faults:
            cases.append(MatchedCase(*key, *pairs, others.get(key, ())))
    return Matches(tuple(cases), tuple(problems))


def image_groups(
    description: DatasetDescription, paths: Iterable[str], no_dicom: Collection[str] = ()
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Returns the image files by what `{patient}` and `{case}` stand for, in natural order of their names.

    Args:
      description: the data set.
      paths: as in `match_cases`.
      no_dicom: as in `match_cases`.
    """
    if not description.is_file_a_case:
        paths = [path for path in paths if path not in no_dicom and is_dicom_by_name(path) is not False]
    groups = _groups(description, description.images, paths)
    if description.volumes:
        for key, files in _groups(description, description.volumes, paths).items():
            groups[key] = (*groups.get(key, ()), *files)
    return groups


def paths_below(paths: Iterable[str], folder: str) -> tuple[str, list[str]]:
    """Finds the files below one of the folders that a description names.

    Args:
      paths: relative to the data set's root, with `/` between parts.
      folder: as the description has it; empty for the root.

    Returns:
      What stands in front of these files, in the spelling that the disk has, and their paths behind it.
    """
    parts = [part for part in folder.split("/") if part]
    wanted, below, prefix = "/".join([*map(normal_name, parts), ""]), [], None
    for path in paths:
        head = "/".join([*path.split("/")[: len(parts)], ""]) if parts else ""
        if prefix is None and (not parts or normal_name(head) == wanted):
            prefix = head
        if prefix is not None and path.startswith(prefix):
            below.append(path.removeprefix(prefix))
    return prefix or "", below


def case_name(description: DatasetDescription, patient: str, case: str) -> str:
    """Returns the identifier of a case."""
    return "-".join(filter(None, (description.name, patient, case)))


def patient_name(description: DatasetDescription, patient: str, case: str, is_slice: bool = False) -> str:
    """Returns the identifier of the patient of a case; slices whose patient nobody knows share one."""
    return f"{description.patients or description.name}-{patient or (_UNKNOWN if is_slice else case)}"


def _groups(
    description: DatasetDescription, pattern: str, paths: Iterable[str]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Matching paths by (patient, case), in natural order."""
    expression = pattern_expression(pattern)
    wanted, excluded = _chosen(description)
    groups = collections.defaultdict(list)
    for path in paths:
        if match := expression.fullmatch(normal_name(path)):
            case, patient = match["case"], match.groupdict().get("patient") or ""
            if wanted.fullmatch(case) and case not in excluded:
                groups[patient, case].append(path)
    return {key: tuple(sorted(files, key=natural_key)) for key, files in groups.items()}


def _chosen(description: DatasetDescription) -> tuple[re.Pattern[str], set[str]]:
    """What cases must match, and those to leave out, in the spelling in which names are compared."""
    return re.compile(normal_name(description.cases or ".*")), set(map(normal_name, description.exclude))


def _paired(
    description: DatasetDescription,
    images: tuple[str, ...],
    labels: list[tuple[str, ...]],
    labelled: bool,
    shown: str,
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], list[Problem]]:
    """(images, labels) of one case that belong together, or what keeps them from it."""
    if description.is_file_a_case:
        faults = [
            Problem(f"{shown}{files[1]}", "one file for a case", f"{shown}{files[0]} too", "remove one of them")
            for files in (images, *labels)
            if len(files) > 1
        ]
        if not images:
            where = next(files[0] for files in labels if files)
            faults.append(_alone(shown + where, "its image", description.images))
        patterns = [pattern for _, pattern in description.masks] or [description.labels]
        if images and labelled:
            faults += [
                _alone(shown + images[0], "its labels", pattern)
                for pattern, files in zip(patterns, labels, strict=True)
                if not files
            ]
        return (images, tuple(files[0] for files in labels if files)), faults
    if not labelled:
        return (images, ()), []
    (pictures,) = labels
    if not images or not pictures:
        path, noun, pattern = (
            (images[0], "its labels", description.labels) if images else (pictures[0], "its images", description.images)
        )
        return ((), ()), [_alone(shown + path, noun, pattern)]
    slices, labelled_slices = ({_stem(path): path for path in files} for files in (images, pictures))
    if slices.keys() == labelled_slices.keys():
        return (images, tuple(labelled_slices[_stem(path)] for path in images)), []
    if description.pair_by == "name_or_order" and len(images) == len(pictures):
        return (images, pictures), []
    faults = []
    for files, partners, kind in ((slices, labelled_slices, "a PNG"), (labelled_slices, slices, "a DICOM slice")):
        alone = sorted(files.keys() - partners.keys(), key=natural_key)
        if alone:
            found = f"none, and so for {len(alone)} of {len(files)} files" if len(alone) > 1 else "none"
            advice = "unpack the data set again, or remove the case"
            faults.append(Problem(shown + files[alone[0]], f"{kind} of the same name", found, advice))
    return ((), ()), faults


def _stem(path: str) -> str:
    return PurePosixPath(normal_name(path)).stem


def _may_be_slice(path: str) -> bool:
    return is_dicom_by_name(path) is None


def _hollow(files: Sequence[str], shown: str) -> Problem:
    """Tells of a folder that holds no DICOM although names in it could be those of slices."""
    folder, _, name = files[0].rpartition("/")
    count = counted(len(files), "file that is none", "files that are none")
    found = f"{count}, such as {name}" if name else "none"
    return Problem(shown + folder, "DICOM slices", found, "complete the folder, or remove it")


def _alone(where: str, noun: str, pattern: str) -> Problem:
    return Problem(where, f"{noun} {pattern}", "none", "add the file or remove this one")


def _filled(description: DatasetDescription, patient: str, case: str) -> DatasetDescription:
    """The description with the names of one case in its patterns, for messages."""

    def fill(pattern: str) -> str:
        return pattern.replace("{patient}", patient).replace("{case}", case)

    masks = tuple((name, fill(pattern)) for name, pattern in description.masks)
    return dataclasses.replace(
        description, images=fill(description.images), labels=fill(description.labels), masks=masks
    )


def _strangers(
    description: DatasetDescription,
    paths: Sequence[str],
    known: set[str],
    keys: Collection[tuple[str, str]],
    shown: str,
) -> list[tuple[str, Problem]]:
    """Scans beside the cases whose names do not fit, and folders of cases that lack their images."""
    problems = []
    expressions = [
        pattern_expression(pattern)
        for pattern in (
            *(description.images, description.volumes, description.labels, *description.others),
            *(pattern for _, pattern in description.masks),
        )
        if pattern
    ]
    folders = {str(PurePosixPath(path).parent) for path in known}
    for path in paths:
        # Cases that are left out on purpose match as well.
        if path in known or any(expression.fullmatch(normal_name(path)) for expression in expressions):
            continue
        named = path.lower().endswith(_SCAN_SUFFIXES) and str(PurePosixPath(path).parent) in folders
        if description.is_nifti and named and "/" in path and not description.images.startswith("{"):
            wanted = next(
                (
                    pattern
                    for pattern in (description.images, description.labels)
                    if PurePosixPath(normal_name(pattern)).parent == PurePosixPath(normal_name(path)).parent
                ),
                description.images,
            )
            problems.append(
                ("", Problem(shown + path, f"a name such as {wanted}", "another one", "rename or remove the file"))
            )
    head = description.images.split("/")[0]
    if keys and head in ("{case}", "{patient}"):
        chosen, excluded = _chosen(description)
        tops = {normal_name(top): top for top in (path.split("/")[0] for path in paths if "/" in path)}
        held = {patient or case for patient, case in keys}
        for top in sorted(tops.keys() - held - excluded, key=natural_key):
            if head == "{case}" and not chosen.fullmatch(top):
                continue
            name = case_name(description, *(("", top) if head == "{case}" else (top, "")))
            expected = f"{description.images.split('/', 1)[1]} in the folder"
            advice = "complete the folder, or remove it"
            problems.append((name, Problem(shown + tops[top], expected, "none", advice)))
    return problems


def _spelled_twice(files: Sequence[str], shown: str) -> Problem | None:
    """Tells of folders with one name in two spellings: what lies in them would be taken for one case."""
    folders: dict[str, str] = {}
    for path in files:
        folder = str(PurePosixPath(path).parent)
        first = folders.setdefault(normal_name(folder), folder)
        if first != folder:
            found = f"{shown}{first} too, the same name in another spelling of Unicode"
            return Problem(shown + folder, "one folder for a case", found, "merge them, or remove one")
    return None


def _key_order(key: tuple[str, str]) -> tuple[Any, Any]:
    return natural_key(key[0]), natural_key(key[1])
