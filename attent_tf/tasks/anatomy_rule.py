"""Where structures lie in any patient, as data: labels that lie elsewhere were read with a wrong orientation or numbering."""

import dataclasses

from attent_tf.errors import ConfigError
from attent_tf.tasks.structure import BODY

RELATIONS = ("right_of", "left_of", "in_front_of", "behind", "above", "below")


@dataclasses.dataclass(frozen=True)
class AnatomyRule:
    """By centroids: `structure` lies `lies` of `of`. A rule about what a scan does not show is left out.

    Attributes:
      structure: a structure of the task, or `bone`, which a CT shows without labels.
      lies: one of `RELATIONS`, as the patient sees it.
      of: structures, the middle between whose centroids counts, or `body` alone: its middle in the slices of `structure` (for
        `bone`: of all labels).
      unless: structures; where one of them is labelled, the rule is left out.
    """

    structure: str
    lies: str
    of: tuple[str, ...]
    unless: tuple[str, ...] = ()

    def __post_init__(self):
        if self.lies not in RELATIONS:
            raise ConfigError(f"anatomy: expected lies to be one of {', '.join(RELATIONS)}; received {self.lies!r}")
        if not self.of:
            raise ConfigError(f"anatomy: {self.structure}: of: expected structures or body; received none")
        if self.of == (BODY,) and self.lies in ("above", "below"):
            raise ConfigError(
                f"anatomy: {self.structure}: expected one of {', '.join(RELATIONS[:4])} of the body, whose middle is taken in "
                f"the slices of the structure; received {self.lies}"
            )
