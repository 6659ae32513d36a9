"""The cases of a data folder, by its description or by recognising its layout."""

import dataclasses
import os

from attent_tf.datasets import nnunet
from attent_tf.datasets.cases import CaseFiles
from attent_tf.datasets.description import DatasetDescription
from attent_tf.datasets.load import SHIPPED, load_description
from attent_tf.datasets.matching import (
    MatchedCase,
    case_name,
    image_groups,
    match_cases,
    paths_below,
    patient_name,
    pattern_expression,
)
from attent_tf.errors import ConfigError, InputError, Problem
from attent_tf.names import normal_name
from attent_tf.storage import joined, list_files
from attent_tf.tasks import Task
from attent_tf.volumes.dicom_files import is_dicom, is_left_out_silently

# Tried in this order where the user names none. Of the sequences of CHAOS the paper's is meant.
_RECOGNISED = ("chaos", "malbcv", "nifti", "sifa-ct", "sifa-mri", "dicom")


@dataclasses.dataclass(frozen=True)
class CaseProblem:
    """Something wrong with a case, or, where `case` is empty, with a folder.

    Attributes:
      case: its identifier.
      domain: name of its domain.
      check: which check found it, one word such as `pairing` or `affine`.
      problem: what and where.
    """

    case: str
    domain: str
    check: str
    problem: Problem


@dataclasses.dataclass(frozen=True)
class FoundCases:
    """What a data folder holds: its description, whole cases, and cases whose names or pairs are wrong."""

    description: DatasetDescription
    cases: tuple[CaseFiles, ...]
    problems: tuple[CaseProblem, ...]


def find_cases(
    root: str | os.PathLike[str], task: Task, domain: str, dataset: str | os.PathLike[str] | None = None
) -> tuple[CaseFiles, ...]:
    """Finds the cases of a data folder; no scan is read.

    Args: as `survey_cases`.

    Returns:
      At least one case, in natural order.

    Raises:
      InputError: as `survey_cases`, or a file of some case is missing or misnamed.
      ConfigError: as `survey_cases`.
    """
    found = survey_cases(root, task, domain, dataset)
    for fault in found.problems:
        raise InputError(*dataclasses.astuple(fault.problem))
    return found.cases


def survey_cases(
    root: str | os.PathLike[str], task: Task, domain: str, dataset: str | os.PathLike[str] | None = None
) -> FoundCases:
    """Finds the cases of a data folder and everything that is wrong with their names; no scan is read.

    Args:
      root: the folder of a data set, local or on a file system of Beam, or a YAML description that says its `root`.
      task: what is segmented.
      domain: name of the domain of the task that the cases are of.
      dataset: name of a description that ships, or a YAML file; `nnunet` or `nnunet-test`, see `describe_folder`; None to
        recognise the layout.

    Returns:
      Cases in natural order, and problems; at least one of either.

    Raises:
      InputError: the folder is missing, holds no case, is of no known layout, or of another kind than the domain.
      ConfigError: the task has no such domain, or the description is not there, wrong, or names not all of the task's structures.
    """
    task.domain(domain)
    description: DatasetDescription | None = None
    if dataset is None and str(root).lower().endswith((".yaml", ".yml")):
        description = load_description(root)
        if not description.root:
            raise ConfigError(f"{root}: expected the key root, as the description is given instead of a folder; add it")
        root = description.root
    elif dataset is not None and not nnunet.names_layout(dataset):
        description = load_description(dataset)
    paths = list_files(root)
    if description is None and (nnunet.names_layout(dataset) or nnunet.has_layout(paths)):
        description = nnunet.describe_folder(root, paths, task, domain, str(dataset or nnunet.NAMES[0]))
    candidates = [description] if description else [load_description(name) for name in _RECOGNISED]
    for candidate in candidates:
        # SIFA's data of both modalities come in one folder.
        if not description and candidate.is_arrays and not candidate.fits(task.domain(domain)):
            continue
        folder = _folder(candidate, paths)
        if folder is None:
            continue
        no_dicom = _no_dicom(root, candidate, folder, paths)
        # A pattern of slices may fit any folder of folders.
        if candidate.is_file_a_case or image_groups(candidate, paths_below(paths, folder)[1], no_dicom):
            return _surveyed(candidate, root, folder, paths, task, domain, no_dicom)
    if description:
        raise InputError(root, f"images of {description.name} at {description.images}", "none", "check the folder")
    layouts = "; ".join(
        f"{known.name}: {'/'.join(filter(None, (known.folders[0], known.images)))}" for known in candidates
    )
    raise InputError(
        root,
        "a data set",
        f"none of the known layouts ({layouts}; nnunet: {nnunet.DATASET_FILE} and {nnunet.TRAINING_IMAGES})",
        f"give its top folder, name one of {', '.join((*SHIPPED, *nnunet.NAMES))}, or describe it in a YAML file",
    )


def _folder(description: DatasetDescription, paths: list[str]) -> str | None:
    """The first of the description's folders in which images lie."""
    for folder in description.folders:
        if image_groups(description, paths_below(paths, folder)[1]):
            return folder
    return None


def _no_dicom(
    root: str | os.PathLike[str], description: DatasetDescription, folder: str, paths: list[str]
) -> frozenset[str]:
    """Files below a folder that fit the pattern of slices and are none by name, or by content where names do not tell."""
    if description.is_file_a_case:
        return frozenset()
    prefix, below = paths_below(paths, folder)
    expression = pattern_expression(description.images)
    fitting = (path for path in below if expression.fullmatch(normal_name(path)))
    # Folders that hold nothing are listed too.
    return frozenset(path for path in fitting if path.endswith("/") or not is_dicom(joined(root, prefix + path)))


def _surveyed(
    description: DatasetDescription,
    root: str | os.PathLike[str],
    folder: str,
    paths: list[str],
    task: Task,
    domain: str,
    no_dicom: frozenset[str],
) -> FoundCases:
    if not description.fits(task.domain(domain)):
        fitting = [known.name for known in task.domains if description.fits(known)]
        raise InputError(
            root,
            f"a data set of domain {domain}, kind {task.domain(domain).kind}",
            f"{description.title or description.name}, which is {description.modality}",
            f"give it as {' or '.join(fitting)}" if fitting else "give another one",
        )
    description.check_structures(task)
    description = description.joined(task.structure_names)
    prefix, below = paths_below(paths, folder)
    matches = match_cases(description, below, joined(root, prefix).rstrip("/") + "/", no_dicom)

    def full(relative: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(joined(root, prefix + path) for path in relative)

    def files_of(matched: MatchedCase) -> CaseFiles:
        files = CaseFiles(
            case=case_name(description, matched.patient, matched.case),
            patient="",
            task=task,
            domain=domain,
            description=description,
            images=full(matched.images),
            labels=full(matched.images if description.is_arrays else matched.labels),
            others=full(tuple(path for path in matched.others if not is_left_out_silently(path))),
        )
        return dataclasses.replace(
            files, patient=patient_name(description, matched.patient, matched.case, files.is_slice)
        )

    cases = tuple(map(files_of, matches.cases))
    problems = tuple(CaseProblem(name, domain, "pairing", problem) for name, problem in matches.problems)
    return FoundCases(description, cases, problems)
