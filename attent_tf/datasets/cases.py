"""One case of a data set: which files hold it."""

import dataclasses
import os
import re
from pathlib import Path

from attent_tf.datasets.description import DatasetDescription
from attent_tf.tasks import Task
from attent_tf.volumes import ARRAY, PATIENT, SLICE


@dataclasses.dataclass(frozen=True)
class CaseFiles:
    """The files of one case: small, so that it can travel between workers.

    Attributes:
      case: stable identifier such as `chaos-1`, `malbcv-0001` or `nifti-<name>`.
      patient: identifier that all scans of a patient share; splits never part it.
      task: whose domain and structures these are.
      domain: name of a domain of it.
      description: the data set, as the task's structures need it (`DatasetDescription.joined`).
      images: full paths; one file of NIfTI or of arrays, or DICOM files in natural order of their names.
      labels: full paths: one label map (`images` where that holds it), a mask for each entry of the description's `masks`, or a
        picture for each of `images`; empty if the case has no labels.
      others: full paths of files beside DICOM slices that are none.
    """

    case: str
    patient: str
    task: Task
    domain: str
    description: DatasetDescription
    images: tuple[str, ...]
    labels: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """What messages call it: its file, or the folder of its slices."""
        first = self.images[0]
        return first if self.description.is_file_a_case else first.rpartition("/")[0] or first

    @property
    def space(self) -> str:
        """What is known of its place, one of `volumes.volume.SPACES`."""
        if not self.description.is_arrays:
            return PATIENT
        return ARRAY if self.images[0].lower().endswith(".npz") else SLICE

    @property
    def is_slice(self) -> bool:
        """Whether it is one slice out of nobody knows which scan: it can train, and no volume can be scored by it."""
        return self.space == SLICE

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.description.name


def natural_key(path: str | os.PathLike) -> tuple:
    """Sorts names by the numbers in them: 2 comes before 10."""
    parts = re.split(r"(\d+)", Path(path).name)
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)
