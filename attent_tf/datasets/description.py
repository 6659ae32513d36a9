"""What a data set is, as data: where its images and labels lie, and what the numbers in its labels mean."""

import dataclasses

from attent_tf.errors import ConfigError
from attent_tf.organs import DOMAINS, ORGANS
from attent_tf.tasks import IntensityRule

MODALITIES = (*DOMAINS, "any")
SLICE_ORDERS = ("position", "name")
PAIRINGS = ("name", "name_or_order")


@dataclasses.dataclass(frozen=True)
class DatasetDescription:
    """A data set.

    Patterns are paths below one of `folders`, with `/` between their parts. `{case}` (required) and `{patient}` stand for
    a name, or part of one, and `*` for any characters within a name. `.nii.gz` at the end also finds `.nii`.

    Attributes:
      name: begins the identifiers of its cases: `<name>-<case>`.
      images: pattern of a NIfTI file a case, or of the DICOM slices of a case's series.
      modality: `mri`, `ct` or `any`.
      title: one line for people.
      labels: pattern of a label map a case, or of a PNG a slice; empty where there are none.
      masks: organ and pattern of its mask, where each organ has a file of its own.
      folders: where patterns may begin, below the data set's root; the first in which images are found counts.
      root: the data set's folder, if the description itself says so.
      cases: regular expression that what `{case}` stands for must match in full; empty for any.
      exclude: cases to leave out, by what `{case}` stands for.
      patients: begins the identifiers of patients; `name` where empty. Data sets that show the same patients share it.
      slice_order: order of DICOM slices: by `position`, or by `name` where the data set defines it so (it is then checked
        against the positions).
      pair_by: slices and their PNGs go together by `name`, or, with `name_or_order`, by rank where names differ throughout.
      label_values: organ and the numbers that mean it in label maps.
      last_label: the largest number that a label map may hold; those that mean no organ are background. None for no limit.
      label_bins: organ and its bin of grey values in PNGs, (above, up to and including).
      intensity: which raw values −1 and +1 stand for; None for the rule of the modality.
    """

    name: str
    images: str
    modality: str
    title: str = ""
    labels: str = ""
    masks: tuple[tuple[str, str], ...] = ()
    folders: tuple[str, ...] = ("",)
    root: str = ""
    cases: str = ""
    exclude: tuple[str, ...] = ()
    patients: str = ""
    slice_order: str = "position"
    pair_by: str = "name"
    label_values: tuple[tuple[str, tuple[int, ...]], ...] = ()
    last_label: int | None = None
    label_bins: tuple[tuple[str, tuple[int, int]], ...] = ()
    intensity: IntensityRule | None = None

    def __post_init__(self):
        for key, value, known in (
            ("modality", self.modality, MODALITIES),
            ("slice_order", self.slice_order, SLICE_ORDERS),
            ("pair_by", self.pair_by, PAIRINGS),
        ):
            if value not in known:
                raise ConfigError(f"{key}: expected one of {', '.join(known)}; received {value!r}")
        for key in ("masks", "label_values", "label_bins"):
            for organ, _ in getattr(self, key):
                if organ not in ORGANS:
                    raise ConfigError(f"{key}: expected organs out of {', '.join(ORGANS)}; received {organ!r}")
        for pattern in (self.labels, *(pattern for _, pattern in self.masks)):
            if pattern and ("{patient}" in pattern) != ("{patient}" in self.images):
                raise ConfigError(
                    f"labels, masks: expected {{patient}} in all patterns or in none; received {pattern!r} for {self.images!r}"
                )
        if self.labels and self.masks:
            raise ConfigError("labels, masks: expected one of them; received both")
        if self.labels and not self.label_values and not self.label_bins:
            raise ConfigError("label_values: expected the numbers that mean organs, as there are labels; received none")
        if self.label_bins and not self.labels.lower().endswith(".png"):
            raise ConfigError(f"label_bins: expected labels in PNG files; received the pattern {self.labels!r}")
        for organ, (above, last) in self.label_bins:
            if not 0 <= above < last <= 255:
                raise ConfigError(f"label_bins: expected 0 ≤ above < last ≤ 255 for {organ}; received {above}, {last}")
        numbers = [number for _, values in self.label_values for number in values]
        if len(set(numbers)) < len(numbers):
            raise ConfigError("label_values: expected each number to mean one organ; received one twice")

    @property
    def is_nifti(self) -> bool:
        """Whether a case is one NIfTI file; otherwise it is a series of DICOM slices."""
        return self.images.lower().endswith((".nii", ".nii.gz"))
