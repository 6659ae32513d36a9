"""Means over cases that no missed structure can improve."""

from collections.abc import Sequence

import numpy as np

from attent_tf.metrics.bootstrap import Interval, ratio_interval
from attent_tf.metrics.scores import METRICS, Score

StructureSummary = dict[str, dict[str, float | int]]


def summarise(
    units: Sequence[Score],
    structures: Sequence[str],
    scored: Sequence[str],
    case_of_unit: Sequence[str] | None = None,
) -> tuple[dict[str, StructureSummary], dict[str, float]]:
    """Summarises the scores of several cases.

    Args:
      units: scores as `score_case` returns them.
      structures: names of all structures.
      scored: names of the structures that averages are over.
      case_of_unit: the case that each unit belongs to, for the intervals; None if each unit is a case of its own.

    Returns:
      `(each, average)`. `each` holds for each structure and metric `mean`, `std` (divided by n, not n - 1), `median`,
      `ci95_low` and `ci95_high` (of the mean, see `INTERVAL_TEXT`), `n` (number of values that the mean is over), `n_undefined`
      (NaN, left out) and `n_infinite` (within n: they make the mean infinite and deviation and interval undefined, and
      rank above all others in the median). `average` holds for each metric the mean of the means of the structures
      that are scored; a structure that is undefined in every case is left out, and if all are undefined it is NaN.
    """
    groups = _groups(units, case_of_unit)
    each = {name: {metric: _summary(_values(units, name, metric), groups) for metric in METRICS} for name in structures}
    average = {metric: mean_of_defined([each[name][metric]["mean"] for name in scored]) for metric in METRICS}
    return each, average


def average_intervals(
    units: Sequence[Score], scored: Sequence[str], case_of_unit: Sequence[str] | None = None
) -> dict[str, Interval]:
    """Returns for each metric the 95 % interval of the mean of the structures' means.

    Args: as `summarise`.
    """
    groups = _groups(units, case_of_unit)
    return {
        metric: ratio_interval(
            *map(np.stack, zip(*(_sums(_values(units, name, metric), groups) for name in scored), strict=True))
        )
        for metric in METRICS
    }


def mean_of_defined(values: Sequence[float] | np.ndarray) -> float:
    """Returns the mean of the values that are not NaN: infinite if one of them is, NaN if there are none."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def mean_score(units: Sequence[Score], structures: Sequence[str]) -> Score:
    """Returns the score of one case as the mean over its units (volumes or slices)."""
    return {
        name: {metric: mean_of_defined([unit[name][metric] for unit in units]) for metric in METRICS}
        for name in structures
    }


def spread_of(values: Sequence[float]) -> dict[str, float | int]:
    """Summarises one value per case, with the keys of `summarise`."""
    return _summary(np.asarray(values, float), np.arange(len(values)))


def _values(units: Sequence[Score], structure: str, metric: str) -> np.ndarray:
    return np.array([unit[structure][metric] for unit in units], float)


def _groups(units: Sequence[Score], case_of_unit: Sequence[str] | None) -> np.ndarray:
    if case_of_unit is None:
        return np.arange(len(units))
    return np.unique(np.asarray(case_of_unit, str), return_inverse=True)[1]


def _sums(values: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the defined values of each group."""
    defined = ~np.isnan(values)
    length = int(groups.max()) + 1 if groups.size else 0
    return (
        np.bincount(groups[defined], values[defined], length),
        np.bincount(groups[defined], minlength=length).astype(float),
    )


def _summary(values: np.ndarray, groups: np.ndarray) -> dict[str, float | int]:
    defined = values[~np.isnan(values)]
    infinite = int(np.isinf(defined).sum())
    totals, counts = _sums(values, groups)
    low, high = ratio_interval(totals[None], counts[None])
    return {
        "mean": mean_of_defined(values),
        "std": float(np.std(defined)) if defined.size and not infinite else float("nan"),
        "median": float(np.median(defined)) if defined.size else float("nan"),
        "ci95_low": low,
        "ci95_high": high,
        "n": len(defined),
        "n_undefined": len(values) - len(defined),
        "n_infinite": infinite,
    }
