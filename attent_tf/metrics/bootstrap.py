"""Confidence intervals of means by the bootstrap over cases.

Cases are drawn, not slices: the slices of one volume are not independent of each other, so that a protocol that scores
slices keeps those of a case together.
"""

import numpy as np

INTERVAL_TEXT = (
    "95 % confidence intervals of means are percentile intervals of the bootstrap over cases (scipy.stats.bootstrap, "
    "10 000 resamples, seed 0). They are undefined for fewer than two cases and where a value is infinite, and known to "
    "be too narrow for fewer than about 20 cases."
)

_LEVEL = 0.95
_RESAMPLES = 10_000
# Numbers that are held at a time, so that many cases do not need much memory.
_HELD = 2_000_000

Interval = tuple[float, float]
UNDEFINED_INTERVAL: Interval = (float("nan"), float("nan"))


def mean_interval(values: np.ndarray) -> Interval:
    """Bootstraps the mean of one value per case.

    Args:
      values: [case] floats; NaN is left out.

    Returns:
      The bounds of the 95 % interval; NaN for fewer than two cases or an infinite value. The order of cases does not matter.
    """
    values = np.asarray(values, float)
    counts = (~np.isnan(values)).astype(float)
    return ratio_interval(np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)[None], counts[None])


def ratio_interval(totals: np.ndarray, counts: np.ndarray) -> Interval:
    """Bootstraps the mean over rows of each row's pooled mean, where a case may hold several values of a row.

    Args:
      totals: [row, case] sums of the values that each case holds, such as the slices of a structure.
      counts: [row, case] how many values each sum is over.

    Returns:
      The bounds of the 95 % interval, as `mean_interval` says; a row without a value in a resample is left out there.
    """
    held = counts.sum(axis=0) > 0
    totals, counts = totals[:, held], counts[:, held]
    cases = totals.shape[1]
    if cases < 2 or not np.isfinite(totals).all():
        return UNDEFINED_INTERVAL
    order = np.lexsort(np.concatenate([counts, totals]))
    totals, counts = totals[:, order], counts[:, order]

    def statistic(index: np.ndarray, axis: int) -> np.ndarray:
        index = np.asarray(index).astype(int)
        total, count = totals[:, index].sum(axis=axis), counts[:, index].sum(axis=axis)
        means = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
        return np.asarray(means.sum(axis=0) / (count > 0).sum(axis=0))

    # Loading scipy.stats takes longer than everything else that scoring loads.
    from scipy import stats

    interval = stats.bootstrap(
        (np.arange(cases),),
        statistic,
        n_resamples=_RESAMPLES,
        batch=max(1, _HELD // totals.size),
        confidence_level=_LEVEL,
        method="percentile",
        random_state=np.random.default_rng(0),
    ).confidence_interval
    return float(interval.low), float(interval.high)
