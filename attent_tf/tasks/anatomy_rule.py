"""Where structures lie in any patient, as data: labels that lie elsewhere were read with a wrong orientation or numbering."""

import dataclasses
from typing import Annotated, Literal, get_args

from attent_tf.errors import ConfigError
from attent_tf.plain_values import ONE_OR_MORE
from attent_tf.tasks.structure import BODY

Relation = Literal["right_of", "left_of", "in_front_of", "behind", "above", "below"]
RELATIONS = get_args(Relation)
_Names = Annotated[tuple[str, ...], ONE_OR_MORE]


@dataclasses.dataclass(frozen=True)
class AnatomyRule:
    """By centroids: `structure` lies `lies` of `of`. A rule about structures that a scan does not show is left out.

    Attributes:
      structure: a structure of the task, or `bone`, which a CT shows without labels.
      lies: one of `RELATIONS`, as the patient sees it.
      of: structures, of whose centroids the middle counts; or `body` alone, whose middle is taken in the slices of `structure`
        (for `bone`: of all labels).
      unless: structures; if one of them is labelled, the rule is left out.
    """

    structure: str
    lies: Relation
    of: _Names
    unless: _Names = ()

    def __post_init__(self) -> None:
        if self.lies not in RELATIONS:
            raise ConfigError(f"lies: expected one of {', '.join(RELATIONS)}, found {self.lies!r}")
        if not self.of:
            raise ConfigError(f"{self.structure}: of: expected structures or body, found none")
        if self.of == (BODY,) and self.lies in ("above", "below"):
            raise ConfigError(
                f"{self.structure}: expected one of {', '.join(RELATIONS[:4])} of the body, whose middle is taken in "
                f"the slices of the structure, found {self.lies}"
            )
