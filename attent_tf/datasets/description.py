"""What a data set is, as data: where its images and labels lie, and what the numbers in its labels mean."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Literal, get_args

from attent_tf.datasets.written import LabelBins, LabelValues, Masks, Name, Number, Pattern, RegularExpression
from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.plain_values import NOT_WRITTEN, Text
from attent_tf.tasks import Domain, IntensityRule, Task
from attent_tf.tasks.structure import NAME

Modality = Literal["mri", "ct", "any"]
SliceOrder = Literal["position", "name"]
Pairing = Literal["name", "name_or_order"]


@dataclasses.dataclass(frozen=True)
class DatasetDescription:
    """How a data set lies on disk and what its labels mean.

    Patterns are paths below one of `folders`, with `/` between their parts. `{case}` (required) and `{patient}` stand for
    a name, or part of one, and `*` for any characters within a name. `.nii.gz` at the end also finds `.nii`.

    Attributes:
      name: begins the identifiers of its cases: `<name>-<case>`.
      images: pattern of a NIfTI file a case, of the DICOM slices of a case's series, or of a `.tfrecords` file a slice (in the
        form of SIFA's data, with its labels).
      modality: the kind of its domain, `mri` or `ct`, or `any`.
      title: one line for people.
      volumes: beside `.tfrecords` files: pattern of an `.npz` file a test volume, with its labels.
      labels: pattern of a label map a case, or of a PNG a slice; empty if there are none.
      masks: structure and pattern of its mask, where each structure has a file of its own.
      folders: where patterns may begin, below the data set's root; the first in which images are found counts.
      root: the data set's folder, if the description itself says so.
      cases: regular expression that `{case}` must match in full; empty for any.
      exclude: cases to leave out, by what `{case}` stands for.
      patients: begins the identifiers of patients; `name` where empty. Data sets that show the same patients share it.
      slice_order: order of DICOM slices: by `position`, or by `name` where the data set defines it so (it is then checked
        against the positions).
      pair_by: slices and their PNGs go together by `name`, or, with `name_or_order`, by rank where names differ throughout.
      label_values: structure and the numbers that mean it in label maps.
      last_label: the largest number that a label map may hold; those that mean no structure are background. None for no limit.
      label_bins: structure and its bin of grey values in PNGs, (above, up to and including).
      others: patterns of files that are known and not wanted, such as the masks that `joined` leaves out.
      numbered_by_task: whether label maps hold the classes of the task by their numbers; then there are no `label_values`.
      intensity: which raw values −1 and +1 stand for; None for the rule of the domain.
    """

    name: Name
    images: Pattern
    modality: Modality
    title: Text = ""
    volumes: Pattern = ""
    labels: Pattern = ""
    masks: Masks = ()
    folders: tuple[str, ...] = ("",)
    root: Text = ""
    cases: RegularExpression = ""
    exclude: tuple[str, ...] = ()
    patients: Name = ""
    slice_order: SliceOrder = "position"
    pair_by: Pairing = "name"
    label_values: LabelValues = ()
    last_label: Number | None = None
    label_bins: LabelBins = ()
    others: Annotated[tuple[str, ...], NOT_WRITTEN] = ()
    numbered_by_task: bool = False
    intensity: IntensityRule | None = None

    def __post_init__(self) -> None:
        for key, value, known in (
            ("modality", self.modality, get_args(Modality)),
            ("slice_order", self.slice_order, get_args(SliceOrder)),
            ("pair_by", self.pair_by, get_args(Pairing)),
        ):
            if value not in known:
                raise ConfigError(f"{key}: expected one of {', '.join(known)}, found {value!r}")
        for key in ("masks", "label_values", "label_bins"):
            for name, _ in getattr(self, key):
                if not NAME.fullmatch(name):
                    raise ConfigError(f"{key}: expected names in small letters, digits and _, found {name!r}")
        for pattern in (self.labels, self.volumes, *(pattern for _, pattern in self.masks)):
            if pattern and ("{patient}" in pattern) != ("{patient}" in self.images):
                raise ConfigError(
                    "labels, volumes, masks: expected {patient} in all patterns or in none, "
                    f"found {pattern!r} for {self.images!r}"
                )
        if self.labels and self.masks:
            raise ConfigError("labels, masks: expected one of them, found both")
        given = [key for key in ("label_values", "label_bins", "numbered_by_task") if getattr(self, key)]
        if self.is_arrays and (self.labels or self.masks or self.label_bins):
            raise ConfigError(
                "labels, masks, label_bins: expected none, as .tfrecords files hold their labels, found one"
            )
        if self.volumes and not (self.is_arrays and self.volumes.lower().endswith(".npz")):
            raise ConfigError(
                f"volumes: expected .npz files beside images in .tfrecords files, found {self.volumes!r} for {self.images!r}"
            )
        if (self.labels or self.is_arrays) and not given:
            raise ConfigError(
                "label_values: expected the numbers that mean structures, as there are labels, found none"
            )
        besides = [
            key for key in ("label_values", "label_bins", "masks") if self.numbered_by_task and getattr(self, key)
        ]
        if besides:
            raise ConfigError(f"numbered_by_task: expected no {besides[0]} beside it, found both")
        if self.label_bins and not self.labels.lower().endswith(".png"):
            raise ConfigError(f"label_bins: expected labels in PNG files, found the pattern {self.labels!r}")
        for name, (above, last) in self.label_bins:
            if not 0 <= above < last <= 255:
                raise ConfigError(f"label_bins: expected 0 ≤ above < last ≤ 255 for {name}, found {above}, {last}")
        numbers = [number for _, values in self.label_values for number in values]
        if len(set(numbers)) < len(numbers):
            raise ConfigError("label_values: expected each number to mean one structure, found one twice")

    @property
    def is_nifti(self) -> bool:
        """Whether a case is one NIfTI file; otherwise it is a series of DICOM slices."""
        return self.images.lower().endswith((".nii", ".nii.gz"))

    @property
    def is_arrays(self) -> bool:
        """Whether a case is one file of numbers, images and labels together."""
        return self.images.lower().endswith(".tfrecords")

    @property
    def is_file_a_case(self) -> bool:
        """Whether a case is one file, of whichever kind."""
        return self.is_nifti or self.is_arrays

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of what its labels tell apart; empty if the task says that, or there are no labels."""
        return tuple(dict.fromkeys(name for name, _ in (*self.masks, *self.label_values, *self.label_bins)))

    def fits(self, domain: Domain) -> bool:
        """Whether its scans can be those of a domain; of a domain of the kind `other` nothing is known."""
        return self.modality in ("any", domain.kind) or domain.kind == "other"

    def joined(self, structures: Sequence[str]) -> "DatasetDescription":
        """Returns the description as the structures of a task need it, whichever of them it names.

        Masks of what is none of them are left out, and where numbers are those of the task, `label_values` says which they are.
        Other values that label maps and pictures may hold stay known; they are background.
        """
        if self.numbered_by_task:
            values = tuple((name, (number,)) for number, name in enumerate(structures, start=1))
            return dataclasses.replace(self, numbered_by_task=False, label_values=values, last_label=len(structures))
        wanted = tuple(entry for entry in self.masks if entry[0] in structures)
        others = tuple(pattern for name, pattern in self.masks if name not in structures)
        return dataclasses.replace(self, masks=wanted, others=(*self.others, *others))

    def check_structures(self, task: Task) -> None:
        """Checks that labels, if there are any, say where each structure of a task lies.

        Raises:
          ConfigError: one is not named.
        """
        if self.numbered_by_task or not (self.labels or self.masks or self.is_arrays):
            return
        missing = [name for name in task.structure_names if name not in self.structures]
        if missing:
            raise ConfigError(
                f"data set {self.name}: expected labels for each structure of the task {task.name}; {missing[0]} is missing "
                f"among {', '.join(self.structures)}{did_you_mean(missing[0], self.structures)}; name it in a description, "
                "or leave the labels out"
            )
