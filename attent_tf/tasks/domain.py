"""A domain of a task: scans that look alike, such as those of a modality, a sequence or a site."""

import dataclasses
import re
from typing import Literal, get_args

from attent_tf.errors import ConfigError
from attent_tf.tasks.intensity_rule import IntensityRule

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")

# `ct` is in Hounsfield units; the values of `mri` have no unit; of `other` nothing is known or checked.
Kind = Literal["mri", "ct", "other"]
KINDS = get_args(Kind)

DEFAULT_RULES = {
    "ct": IntensityRule("window", -160.0, 240.0),
    "mri": IntensityRule("percentile", 0.5, 99.0, low_of="volume", high_of="body"),
    "other": IntensityRule("percentile", 0.5, 99.5),
}


@dataclasses.dataclass(frozen=True)
class Domain:
    """A domain of a task: a modality, a sequence or a site that scans come from.

    Attributes:
      name: its name in files, on the command line and in directions: `mri`, `t1`, `siteA`.
      kind: one of `KINDS`.
      title: its name for people.
      intensity: which raw values −1 and +1 stand for, unless a data set's description or the user says otherwise.
    """

    name: str
    kind: Kind
    title: str
    intensity: IntensityRule

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(f"expected a name of letters and digits, found {self.name!r}")
        if self.kind not in KINDS:
            raise ConfigError(f"kind: expected one of {', '.join(KINDS)}, found {self.kind!r}")
        if not self.title.strip() or not self.title.isprintable():
            raise ConfigError(f"title: expected text, found {self.title!r}")
