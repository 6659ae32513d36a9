"""Loss histories: reading `history.csv`, and grouping its columns into families that share a picture."""

import csv
import dataclasses
import re
from pathlib import Path

import numpy as np

from attent_tf.errors import InputError

_NOT_CURVES = re.compile(r"^(step|epoch|iteration|time|wall|.*seconds.*|.*per_second.*|.*_time|seed)$", re.IGNORECASE)

# The first family whose pattern occurs in a column's name takes it; other columns make a family of their own.
_FAMILIES = (
    ("Validation", r"val(idation)?(_|/|$)"),
    ("Learning rate", r"learning_rate|(^|[_/])lr($|[_/])"),
    ("Accuracy of discriminators", r"acc(uracy)?($|[_/])"),
    ("Cycle consistency", r"cyc"),
    ("Identity", r"identity|(^|[_/])idt"),
    ("Discriminators", r"discrim|(^|[_/])d(is)?([_/]|$)"),
    ("Adversarial", r"adv|generator|(^|[_/])g(an)?([_/]|$)"),
    ("Segmentation", r"seg|cross_entropy|dice"),
    ("Entropy", r"entropy"),
    ("Total", r"total|(^|[_/])loss$"),
)
_ORDER = (
    "Total",
    "Segmentation",
    "Cycle consistency",
    "Identity",
    "Adversarial",
    "Discriminators",
    "Accuracy of discriminators",
    "Entropy",
    "Validation",
)
_LAST = "Learning rate"


@dataclasses.dataclass(frozen=True)
class Curve:
    """One column of a history.

    Attributes:
      name: the column's name.
      steps: [row] float64.
      values: [row] float64; NaN where the history has no number.
    """

    name: str
    steps: np.ndarray
    values: np.ndarray


def read_history(path: Path) -> list[Curve]:
    """Reads the numeric columns of a history, except clocks.

    Args:
      path: a CSV file with a column `step` and a column for each loss.

    Raises:
      InputError: the file has no column `step`.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if rows and "step" not in rows[0]:
        raise InputError(f"{path}: expected a column 'step', found {', '.join(map(str, rows[0]))}; train again")
    steps = _numbers([row["step"] for row in rows])
    curves = []
    for name in rows[0] if rows else ():
        if name is None or _NOT_CURVES.match(name):
            continue
        values = _numbers([row[name] for row in rows])
        logged = np.array([bool(row[name]) for row in rows])
        if np.isfinite(values).any():
            curves.append(Curve(name, steps[logged], values[logged]))
    return curves


def families(curves: list[Curve]) -> list[tuple[str, list[Curve]]]:
    """Groups curves by what they measure, in a fixed order; an unknown column stands by itself, near the end."""
    groups: dict[str, list[Curve]] = {}
    for curve in curves:
        groups.setdefault(_family(curve.name), []).append(curve)
    places = {title: place for place, title in enumerate(_ORDER)} | {_LAST: len(_ORDER) + 1}
    return sorted(groups.items(), key=lambda item: places.get(item[0], len(_ORDER)))


def _family(name: str) -> str:
    for title, pattern in _FAMILIES:
        if re.search(pattern, name, re.IGNORECASE):
            return title
    return name.replace("_", " ").replace("/", " ").capitalize()


def _numbers(texts: list[str | None]) -> np.ndarray:
    values = np.full(len(texts), np.nan)
    for index, text in enumerate(texts):
        try:
            values[index] = float(text or "nan")
        except ValueError:
            continue
    return values
