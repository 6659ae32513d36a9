"""Means over cases that no missed organ can improve."""

from collections.abc import Sequence

import numpy as np

from attent_tf.metrics.scores import METRICS, Score
from attent_tf.organs import ORGANS

OrganSummary = dict[str, dict[str, float | int]]


def summarise(cases: Sequence[Score]) -> tuple[dict[str, OrganSummary], dict[str, float]]:
    """Summarises the scores of several cases.

    Args:
      cases: scores as `score_case` returns them.

    Returns:
      `(organs, average)`. `organs` holds for each organ and metric `mean`, `std` (divided by n, not n - 1), `n` (values
      that the mean is over), `n_undefined` (NaN, left out) and `n_infinite` (within n: they make the mean infinite and
      the deviation undefined). `average` holds for each metric the mean of the organs' means; an organ that is
      undefined in every case is left out, and all undefined gives NaN.
    """
    organs = {
        organ: {metric: _summary([case[organ][metric] for case in cases]) for metric in METRICS} for organ in ORGANS
    }
    average = {metric: mean_of_defined([organs[organ][metric]["mean"] for organ in ORGANS]) for metric in METRICS}
    return organs, average


def mean_of_defined(values: Sequence[float]) -> float:
    """Returns the mean of the values that are not NaN: infinite if one of them is, NaN if there are none."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def mean_score(units: Sequence[Score]) -> Score:
    """Returns the score of one case as the mean over its units (volumes or slices)."""
    return {
        organ: {metric: mean_of_defined([unit[organ][metric] for unit in units]) for metric in METRICS}
        for organ in ORGANS
    }


def _summary(values: Sequence[float]) -> dict[str, float | int]:
    defined = [value for value in values if not np.isnan(value)]
    infinite = sum(bool(np.isinf(value)) for value in defined)
    return {
        "mean": mean_of_defined(values),
        "std": float(np.std(defined)) if defined and not infinite else float("nan"),
        "n": len(defined),
        "n_undefined": len(values) - len(defined),
        "n_infinite": infinite,
    }
