"""How the raw intensities that −1 and +1 stand for are chosen, as data."""

import dataclasses
from typing import Literal, get_args

from attent_tf.errors import ConfigError

Kind = Literal["window", "percentile", "zscore"]
Part = Literal["volume", "body"]
Statistics = Literal["volume", "training"]
# Scans are float32, in which differences of such values are still numbers.
_BEYOND = 1e30
KINDS, PARTS, STATISTICS = map(get_args, (Kind, Part, Statistics))


@dataclasses.dataclass(frozen=True)
class IntensityRule:
    """A rule that gives each case the raw values of −1 and +1.

    Attributes:
      kind: `window` (low and high are raw values), `percentile` (they are percentiles), or `zscore` (they are numbers
        of standard deviations from the mean).
      low: the value that −1 stands for.
      high: the value that +1 stands for.
      low_of: `volume` or `body`: the voxels from which the low percentile, or mean and deviation, are taken.
      high_of: likewise for the high percentile; mean and deviation come from one part, so there it equals `low_of`.
      statistics: `volume` (each case has its own) or `training` (all cases of the domain share those of its training
        cases). A window needs none; with `training` it holds what training cases once gave.
    """

    kind: Kind
    low: float
    high: float
    low_of: Part = "volume"
    high_of: Part = "volume"
    statistics: Statistics = "volume"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, KINDS),
            ("low_of", self.low_of, PARTS),
            ("high_of", self.high_of, PARTS),
            ("statistics", self.statistics, STATISTICS),
        ):
            if value not in known:
                raise ConfigError(f"intensity {name}: expected one of {', '.join(known)}, found {value!r}")
        if not -_BEYOND < self.low < self.high < _BEYOND:
            raise ConfigError(
                f"intensity {self.kind}: expected two numbers, low below high, found {self.low} and {self.high}"
            )
        if self.kind == "percentile" and not (self.low >= 0 and self.high <= 100):
            raise ConfigError(
                f"intensity percentile: expected percentiles from 0 to 100, found {self.low} and {self.high}"
            )
        if self.kind == "window" and (self.low_of, self.high_of) != ("volume", "volume"):
            raise ConfigError("intensity window: expected raw values alone, found a part of the voxels; leave it out")
        if self.kind == "zscore" and self.low_of != self.high_of:
            raise ConfigError(
                f"intensity zscore: expected one part for mean and deviation, found {self.low_of} and {self.high_of}"
            )

    @property
    def needs_training(self) -> bool:
        """Whether training cases have to be measured before a case can be prepared."""
        return self.statistics == "training" and self.kind != "window"
