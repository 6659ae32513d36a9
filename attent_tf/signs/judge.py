"""The signs themselves: what is measured, how it is judged, and what it means."""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from attent_tf.signs.counts import StructureCounts, mean_dice
from attent_tf.signs.sign import VERDICTS, LeftOut, Rule, Sign, Signs

_ALWAYS = math.inf

SHARES = Rule(
    "shares",
    "Shares of structures",
    "Share of each structure in the target's pixels over its share in the source's labels; 0 is one that is no longer found.",
    (0.5, 2.0),
    (1 / 3, 3.0),
)
EMPTY = Rule(
    "empty",
    "Empty slices",
    "Share of the slices in which no structure is found; if it is far from the source's, structures are lost or invented.",
    # Wide, for one domain's scans may reach farther beyond the structures than the other's.
    (-0.25, 0.25),
    (-0.4, 0.4),
    "difference",
)
PATHS = Rule(
    "paths",
    "Agreement of the paths",
    "Mean Dice between the answers of the deployed paths; if they differ, one of them is wrong.",
    (0.87, _ALWAYS),
    (0.7, _ALWAYS),
)
CYCLE = Rule(
    "cycle",
    "Agreement around the cycle",
    "Mean Dice between the answers to a slice and to its translation to the source and back; if it is low, "
    "the translators change anatomy.",
    (0.87, _ALWAYS),
    (0.8, _ALWAYS),
)
GREY = Rule(
    "grey",
    "Consistency of grey values",
    "Mean Dice between the answers to a slice and to the slice with its grey values mapped by a rising curve.",
    (0.87, _ALWAYS),
    (0.7, _ALWAYS),
)
SCALE = Rule(
    "scale",
    "Consistency of scale",
    "Mean Dice between the answers to a slice and to the slice at 0.9 and 1.1 times its size, scaled back.",
    (0.87, _ALWAYS),
    (0.7, _ALWAYS),
)
ENTROPY = Rule(
    "entropy",
    "Entropy on structures",
    "Mean entropy where a structure is predicted, compared with that on the source; if it is high, the target "
    "still looks unfamiliar.",
    (-_ALWAYS, 1.5),
    (-_ALWAYS, 3.0),
    "ratio",
)
ISLANDS = Rule(
    "islands",
    "Structures in one piece",
    "Share of each structure that its largest part in three dimensions holds, mean over cases; if it is low, there are "
    "many islands.",
    (0.9, _ALWAYS),
    (0.7, _ALWAYS),
)

RULES = {rule.id: rule for rule in (SHARES, EMPTY, PATHS, CYCLE, GREY, SCALE, ENTROPY, ISLANDS)}


@dataclasses.dataclass(frozen=True)
class Measured:
    """The counts on target and source that the signs are made of.

    Attributes:
      structures: names of the classes from 1.
      cases: the target's cases.
      slices: number of slices that were shown again.
      target: what is predicted on the target.
      islands: [case, structures] from `main_part_shares`.
      entropy: [2] from `sum_on_foreground`, on the target.
      overlaps: sign -> [structures, 2] from `count_overlap`, for `paths`, `cycle`, `grey` and `scale` where they apply.
      source: what the source's labels show; None if there are none.
      source_entropy: as `entropy`, on the source; None if there is none.
      reasons: sign -> why it does not apply, for those that are not there.
    """

    structures: tuple[str, ...]
    cases: tuple[str, ...]
    slices: int
    target: StructureCounts
    islands: np.ndarray
    entropy: np.ndarray
    overlaps: Mapping[str, np.ndarray]
    source: StructureCounts | None = None
    source_entropy: np.ndarray | None = None
    reasons: Mapping[str, str] = dataclasses.field(default_factory=dict)


def judge(measured: Measured) -> Signs:
    """Makes signs of what was counted; those that do not apply are listed with the reason."""
    found = {
        SHARES.id: _shares(measured),
        EMPTY.id: _empty(measured),
        **{rule.id: _agreement(rule, measured) for rule in (PATHS, CYCLE, GREY, SCALE)},
        ENTROPY.id: _entropy(measured),
        ISLANDS.id: _islands(measured),
    }
    return Signs(
        measured.cases,
        measured.slices,
        tuple(sign for sign in found.values() if isinstance(sign, Sign)),
        tuple(LeftOut(name, RULES[name].title, why) for name, why in found.items() if isinstance(why, str)),
    )


def _shares(measured: Measured) -> Sign | str:
    if measured.source is None:
        return _reason(measured, SHARES)
    source = measured.source.shares
    if not source.all():
        return "the source's labels lack a structure"
    return _of_structures(SHARES, measured, measured.target.shares / source)


def _empty(measured: Measured) -> Sign | str:
    if measured.source is None:
        return _reason(measured, EMPTY)
    return _sign(EMPTY, measured.target.share_empty, measured.source.share_empty)


def _agreement(rule: Rule, measured: Measured) -> Sign | str:
    overlap = measured.overlaps.get(rule.id)
    return _reason(measured, rule) if overlap is None else _sign(rule, mean_dice(overlap))


def _entropy(measured: Measured) -> Sign | str:
    if measured.source_entropy is None:
        return _reason(measured, ENTROPY)
    if not measured.entropy[1] or not measured.source_entropy[1]:
        return "no structure is predicted"
    value, reference = (float(total / pixels) for total, pixels in (measured.entropy, measured.source_entropy))
    return _sign(ENTROPY, value, reference)


def _islands(measured: Measured) -> Sign | str:
    predicted = ~np.isnan(measured.islands)
    if not predicted.any():
        return "no structure is predicted"
    counts = predicted.sum(axis=0)
    sums = np.where(predicted, measured.islands, 0.0).sum(axis=0)
    return _of_structures(ISLANDS, measured, np.where(counts, sums / np.maximum(counts, 1), np.nan))


def _reason(measured: Measured, rule: Rule) -> str:
    return measured.reasons.get(rule.id, "not measured")


def _sign(
    rule: Rule, value: float, reference: float | None = None, structures: Mapping[str, float | None] | None = None
):
    verdict = rule.verdict(value, reference)
    return Sign(rule.id, rule.title, value, verdict, rule.thresholds, rule.meaning, structures or {}, reference)


def _of_structures(rule: Rule, measured: Measured, values: np.ndarray) -> Sign:
    """A sign of the worst of [structures] values; NaN where a structure has none."""
    found = zip(measured.structures, values, strict=True)
    structures = {name: None if math.isnan(value) else float(value) for name, value in found}
    # Farthest from 1, twice as much being as far as half.
    worst = max(
        (value for value in structures.values() if value is not None),
        key=lambda value: (VERDICTS.index(rule.verdict(value)), abs(math.log(value)) if value > 0 else math.inf),
    )
    return _sign(rule, worst, structures=structures)
