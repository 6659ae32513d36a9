"""The scans that records were made from, for scores on their own voxels."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from attent_tf.choices import OrientationPolicy
from attent_tf.data.manifest import ManifestCase
from attent_tf.datasets import SHIPPED, CaseFiles, find_cases, input_digest, read_case
from attent_tf.errors import InputError
from attent_tf.tasks import Task
from attent_tf.volumes import Volume, to_canonical


@dataclasses.dataclass(frozen=True)
class OriginalScans:
    """Where the scans of the target domain lie.

    Attributes:
      folder: the folder of the data set, or a YAML description that says its root, as for `find_cases`.
      dataset: name or YAML file of its description; None for the one that the records were made by, if it ships with
        the library, and otherwise to recognise the layout.
    """

    folder: str
    dataset: str | None = None


def find_originals(scans: OriginalScans, task: Task, cases: Sequence[ManifestCase]) -> dict[str, CaseFiles]:
    """Finds the files of cases of one domain; no scan is read.

    Args:
      scans: where they lie.
      task: the task of the records folder.
      cases: at least one case of it.

    Returns:
      case -> its files.

    Raises:
      InputError: the folder cannot be used, or a case is not in it.
      ConfigError: the description is wrong, or does not fit the task.
    """
    made_by = cases[0].dataset
    dataset = scans.dataset or (made_by if made_by in SHIPPED and not _is_description(scans.folder) else None)
    found = {files.case: files for files in find_cases(scans.folder, task, cases[0].domain, dataset)}
    for case in cases:
        if case.case not in found:
            raise InputError(
                scans.folder,
                f"the case {case.case} of the records",
                f"others ({len(found)}), such as {next(iter(found))}",
                "give the folder that the records were made from",
            )
    return {case.case: found[case.case] for case in cases}


def read_original(files: CaseFiles, case: ManifestCase, orientation_policy: OrientationPolicy = "strict") -> Volume:
    """As `read_stored_original`, in canonical orientation."""
    return to_canonical(read_stored_original(files, case, orientation_policy))


def read_stored_original(
    files: CaseFiles, case: ManifestCase, orientation_policy: OrientationPolicy = "strict"
) -> Volume:
    """Reads the scan and the labels that a case was made from.

    Args:
      files: from `find_originals`.
      case: its entry in the manifest.
      orientation_policy: that of the records.

    Returns:
      The scan as it is stored.

    Raises:
      InputError: the files cannot be read, or hold another scan or other labels.
    """
    volume = read_case(files, orientation_policy)
    geometry = case.geometry
    if volume.shape != geometry.stored_shape or not np.array_equal(volume.affine, geometry.affine):
        raise InputError(
            files.images[0],
            f"the scan of {case.case} that the records were made from, {_size(geometry.stored_shape)} voxels",
            f"another grid, {_size(volume.shape)} voxels",
            "give the folder that the records were made from, or preprocess again",
        )
    if input_digest(volume) != case.sha256:
        raise InputError(
            files.images[0],
            f"scan and labels of {case.case} as the records were made from them",
            "other voxels or labels on the same grid",
            "give the folder that the records were made from, or preprocess again",
        )
    return volume


def _is_description(folder: str) -> bool:
    return str(folder).lower().endswith((".yaml", ".yml"))


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
