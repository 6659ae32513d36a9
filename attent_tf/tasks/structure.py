"""A structure of a task: one class of its label maps beside the background."""

import dataclasses
import math
import re
from typing import Literal, get_args

from attent_tf.errors import ConfigError

NAME = re.compile(r"[a-z][a-z0-9_]*")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
Side = Literal["", "left", "right"]
SIDES = get_args(Side)

BACKGROUND = "background"
# What anatomy rules call the patient and the skeleton of a CT.
BODY, BONE = "body", "bone"
# Words that stand beside names of structures where scores are kept.
_TAKEN = (
    BACKGROUND,
    BODY,
    BONE,
    "average",
    "case",
    "labelled",
    "slices",
    "spacing_mm",
    "axes_mm",
    "volume_ml",
    "states",
)


@dataclasses.dataclass(frozen=True)
class Structure:
    """A structure of a task: what one of its classes shows.

    Attributes:
      name: its name in files and on the command line.
      title: its name for people.
      colour: `#rrggbb`, light enough to stand on a grey scan.
      scored: whether it counts in averages of scores.
      snomed: its SNOMED CT code, for DICOM segmentations; empty if none is known.
      meaning: what the code stands for.
      side: `left` or `right` if the code is the same for both sides, otherwise empty.
      weight: weight of its pixels in losses that weigh classes by hand; a pixel of the background has 1.
      largest_ml: volume in millilitres that it exceeds in no patient, so that labels in wrong units are found; infinite for no
        limit.
    """

    name: str
    title: str
    colour: str
    scored: bool = True
    snomed: str = ""
    meaning: str = ""
    side: Side = ""
    weight: float = 1.0
    largest_ml: float = math.inf

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in _TAKEN:
            expected = f"small letters, digits and _, and none of {', '.join(_TAKEN)}"
            raise ConfigError(f"expected a name of {expected}, found {self.name!r}")
        if not self.title.strip() or not self.title.isprintable():
            raise ConfigError(f"title: expected text, found {self.title!r}")
        if not _COLOUR.fullmatch(self.colour):
            raise ConfigError(f"colour: expected #rrggbb in small letters, found {self.colour!r}")
        if self.side not in SIDES:
            raise ConfigError(f"side: expected left or right, found {self.side!r}")
        if bool(self.snomed) != bool(self.meaning) or (self.snomed and not self.snomed.isdigit()):
            raise ConfigError(
                f"expected snomed, a code of digits, and its meaning together, "
                f"found {self.snomed!r} and {self.meaning!r}"
            )
        if not 0 <= self.weight < math.inf:
            raise ConfigError(f"weight: expected a number of at least 0, found {self.weight}")
        if not self.largest_ml > 0:
            raise ConfigError(f"largest_ml: expected a volume above 0 ml, found {self.largest_ml}")
