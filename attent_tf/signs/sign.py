"""A sign: a number that says whether a model works, without labels, and its verdict."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

from attent_tf.plain_values import StrictReader, json_number

Verdict = Literal["green", "amber", "red"]
GREEN, AMBER, RED = VERDICTS = get_args(Verdict)

# So many amber signs are as bad as a red one; working models had up to three (docs/without-labels.md).
MANY_AMBER = 4

Range = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Rule:
    """The name of a sign, and what it takes to be green.

    Attributes:
      id: its key.
      title: its name for people.
      meaning: what it says, in a sentence.
      green, amber: (least, most) of the number, or of what `against` makes of it; outside of both it is red.
      against: how the number is compared with the source's: `ratio`, `difference`, or empty for not at all.
    """

    id: str
    title: str
    meaning: str
    green: Range
    amber: Range
    against: str = ""

    @property
    def thresholds(self) -> str:
        """The ranges in words."""
        compared = {"ratio": " times the source's", "difference": " from the source's"}.get(self.against, "")
        return f"green {_words(self.green)}, amber {_words(self.amber)}{compared}"

    def verdict(self, value: float, reference: float | None = None) -> str:
        """Returns the verdict of a number; `reference` is the source's, where the rule holds it against that."""
        if self.against == "ratio":
            value = value / reference if reference else math.inf
        elif self.against == "difference":
            value -= reference
        if self.green[0] <= value <= self.green[1]:
            return GREEN
        return AMBER if self.amber[0] <= value <= self.amber[1] else RED


@dataclasses.dataclass(frozen=True)
class Sign:
    """A sign that was measured, with its verdict.

    Attributes:
      id: key of its rule.
      title: its name for people.
      value: the number; of a sign of several structures, that of the worst.
      verdict: `green`, `amber` or `red`; of several structures, that of the worst.
      thresholds: the rule's ranges in words.
      meaning: what it says, in a sentence.
      organs: the number of each structure, for signs that have them; None for one that has none.
      reference: the same number for the source, if the rule compares with it.
    """

    id: str
    title: str
    value: float
    verdict: Verdict
    thresholds: str
    meaning: str
    organs: Mapping[str, float | None] = dataclasses.field(default_factory=dict)
    reference: float | None = None


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A sign that was not taken: its id and title, and why."""

    id: str
    title: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Estimate:
    """An estimate of the average Dice, and how much it is worth.

    Attributes:
      dice: in percent.
      mean_error: mean absolute error of such estimates for runs that they were not fitted to, in percent of Dice.
      runs: on how many runs that was measured.
      bad_below: Dice in percent below which a run is bad.
      bad_runs: how many of the runs were bad.
      bad_called_good: how many of the bad runs had an estimate that was not bad.
    """

    dice: float
    mean_error: float
    runs: int
    bad_below: float
    bad_runs: int
    bad_called_good: int

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        misjudged = f"of {self.bad_runs} runs below {self.bad_below:.0f} %, {self.bad_called_good} were estimated above"
        measured = f"with a mean error of {self.mean_error:.1f} points over {self.runs} runs that were scored as well"
        return f"Estimate of the average Dice: {self.dice:.0f} %, {measured}; {misjudged}."


@dataclasses.dataclass(frozen=True)
class Signs:
    """All signs of a model on some cases.

    Attributes:
      cases: the target's cases that were looked at.
      slices: number of their slices that were shown again: mapped, scaled, translated.
      signs: those that were taken.
      left_out: those that were not.
      estimate: estimate of Dice, if there was a calibration.
    """

    cases: tuple[str, ...]
    slices: int
    signs: tuple[Sign, ...]
    left_out: tuple[LeftOut, ...]
    estimate: Estimate | None = None

    @property
    def worst(self) -> Verdict:
        """The worst verdict of a sign; `amber` where none was taken."""
        return max((sign.verdict for sign in self.signs), key=VERDICTS.index, default=AMBER)

    @property
    def verdict(self) -> Verdict:
        """All signs together: red if one is red or `MANY_AMBER` are amber, amber if fewer are or none was taken, else green."""
        amber = sum(sign.verdict == AMBER for sign in self.signs)
        return RED if self.worst == RED or amber >= MANY_AMBER else self.worst

    @property
    def counted(self) -> str:
        """How many signs are not green, in words, as `1 red, 2 amber`."""
        told = [sign.verdict for sign in self.signs]
        parts = [f"{told.count(verdict)} {verdict}" for verdict in (RED, AMBER) if verdict in told]
        return ", ".join(parts) or ("all green" if told else "none was taken")

    def value(self, sign_id: str) -> float | None:
        """Returns the number of a sign; None if it was not taken."""
        return next((sign.value for sign in self.signs if sign.id == sign_id), None)

    def to_json(self) -> dict[str, Any]:
        """Returns what `from_json` reads."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Signs":
        """Reads what `to_json` returned.

        Raises:
          ValueError: it is something else.
        """
        return _READER.read(cls, content, "signs", ValueError)


# Evaluations hold them among free keys, with numbers that JSON does not know.
_READER = StrictReader({float: json_number}, other_keys=True)


def _words(limits: Range) -> str:
    least, most = limits
    if math.isinf(most):
        return f"from {least:.2g}"
    if math.isinf(least):
        return f"up to {most:.2g}"
    return f"{least:.2g} to {most:.2g}".replace("-", "−")
