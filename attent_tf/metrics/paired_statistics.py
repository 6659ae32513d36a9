"""What the paired scores of two runs say: difference, interval, tests and effect sizes.

A distance is infinite where a structure was missed, and undefined where it is in neither map. A pair with an undefined score
is left out and counted. A pair in which both missed the structure is a tie. A pair in which only one did is an infinite
difference: in ranks it is the largest of all, so that Wilcoxon's test and the rank-biserial correlation use it, and it makes
the mean difference infinite, while the interval, the t-test, the sign-flip test and Cohen's d are undefined, and say so by
being NaN.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from attent_tf.metrics.bootstrap import mean_interval
from attent_tf.metrics.significance import paired_test

STATISTICS_TEXT = (
    "Differences are the first run minus the second, paired by case. Wilcoxon: signed-rank test (ties dropped; exact up to "
    "50 pairs without equal ranks, with them exact up to 20 and 100 000 random sign patterns beyond; else normal "
    "approximation). t: paired t-test. Sign-flip: exact permutation test of the mean difference up to 20 pairs, 100 000 random "
    "patterns beyond. All are two-sided. d_z: mean of the differences by their standard deviation (n - 1). r: matched-pairs "
    "rank-biserial correlation, from -1 (the first lower in every pair) to 1. A pair with an undefined score is left "
    "out and counted; where both runs missed a structure, their infinite distances are a tie; where one did, the difference is "
    "infinite, the largest rank for Wilcoxon and r, and leaves interval, t, sign-flip and d_z undefined."
)

_EXACT_WILCOXON_UP_TO = 50


@dataclasses.dataclass(frozen=True)
class PairedStatistics:
    """The comparison of two runs over the same cases.

    Attributes:
      n: pairs that are compared.
      n_undefined: further pairs that are left out, because a score is undefined.
      n_infinite: pairs within n whose difference is infinite.
      mean_difference: mean of first minus second; infinite if infinite differences are on one side, NaN if on both.
      median_difference: likewise; defined as long as fewer than half of the differences are infinite to one side.
      ci95_low, ci95_high: bootstrap interval of the mean difference.
      wilcoxon_statistic: the smaller of the rank sums of both signs.
      wilcoxon_p: two-sided p-value of Wilcoxon's test.
      t_statistic, t_p: statistic and two-sided p-value of the paired t-test.
      sign_flip_p: two-sided p-value of the sign-flip test.
      least_p: the smallest p-value that a test by signs or ranks can give for this many pairs.
      cohen_dz: mean of the differences divided by their standard deviation.
      rank_biserial: difference of the rank sums of both signs, divided by their total.
    """

    n: int
    n_undefined: int
    n_infinite: int
    mean_difference: float
    median_difference: float
    ci95_low: float
    ci95_high: float
    wilcoxon_statistic: float
    wilcoxon_p: float
    t_statistic: float
    t_p: float
    sign_flip_p: float
    least_p: float
    cohen_dz: float
    rank_biserial: float


def paired_statistics(first: Sequence[float], second: Sequence[float]) -> PairedStatistics:
    """Compares two runs.

    Args:
      first: [case] scores of one run; NaN where undefined, infinite where a structure was missed.
      second: [case] scores of the other, in the same order.

    Returns:
      The statistics; what cannot be computed is NaN.
    """
    differences, undefined = _differences(np.asarray(first, float), np.asarray(second, float))
    infinite = int(np.isinf(differences).sum())
    finite = differences if not infinite else np.full(1, np.nan)
    signed_ranks = _signed_ranks(differences)
    t_statistic, t_p = _paired_t(finite)
    flips = paired_test(differences, np.zeros(len(differences))) if not infinite else None
    low, high = (math.nan, math.nan) if infinite else mean_interval(differences)
    total = np.abs(signed_ranks).sum()
    return PairedStatistics(
        n=len(differences),
        n_undefined=undefined,
        n_infinite=infinite,
        mean_difference=_mean(differences),
        median_difference=_median(differences),
        ci95_low=low,
        ci95_high=high,
        wilcoxon_statistic=_smaller_rank_sum(signed_ranks) if len(differences) else math.nan,
        wilcoxon_p=_wilcoxon_p(signed_ranks) if len(differences) else math.nan,
        t_statistic=t_statistic,
        t_p=t_p,
        sign_flip_p=flips.p_value if flips else math.nan,
        least_p=paired_test(np.ones(len(differences)), np.zeros(len(differences))).least_p_value,
        cohen_dz=_cohen_dz(finite),
        rank_biserial=float(signed_ranks.sum() / total) if total else (0.0 if len(differences) else math.nan),
    )


def _differences(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, int]:
    """Differences of the pairs that are defined, and the number of the others."""
    defined = ~(np.isnan(first) | np.isnan(second))
    first, second = first[defined], second[defined]
    tied = first == second
    differences = np.zeros(len(first))
    differences[~tied] = first[~tied] - second[~tied]
    return differences, int(np.count_nonzero(~defined))


def _signed_ranks(differences: np.ndarray) -> np.ndarray:
    """Ranks of the sizes of the differences that are not 0, with their signs; infinite ones share the highest."""
    from scipy import stats

    kept = differences[differences != 0]
    # Differences of decimal scores that are equal on paper differ in their last bits.
    sizes = np.where(np.isinf(kept), np.inf, np.round(np.abs(kept), 9))
    return np.asarray(np.sign(kept) * stats.rankdata(sizes))


def _smaller_rank_sum(signed_ranks: np.ndarray) -> float:
    return float(min(signed_ranks[signed_ranks > 0].sum(), abs(signed_ranks[signed_ranks < 0].sum())))


def _wilcoxon_p(signed_ranks: np.ndarray) -> float:
    from scipy import stats

    count = len(signed_ranks)
    if not count:
        return 1.0
    if len(np.unique(np.abs(signed_ranks))) == count:
        method = "exact" if count <= _EXACT_WILCOXON_UP_TO else "auto"
        return float(stats.wilcoxon(signed_ranks, method=method).pvalue)
    # Under the hypothesis every sign of every rank is as likely as the other: the sign-flip test of the ranks.
    return paired_test(signed_ranks, np.zeros(count)).p_value


def _paired_t(differences: np.ndarray) -> tuple[float, float]:
    """Statistic and p-value; without any spread both are undefined, unless all is equal."""
    from scipy import stats

    if len(differences) < 2 or np.isnan(differences).any():
        return math.nan, math.nan
    if _no_spread(differences):
        return (math.nan, math.nan) if differences.any() else (0.0, 1.0)
    result = stats.ttest_1samp(differences, 0.0)
    return float(result.statistic), float(result.pvalue)


def _cohen_dz(differences: np.ndarray) -> float:
    if len(differences) < 2 or np.isnan(differences).any():
        return math.nan
    if _no_spread(differences):
        return math.nan if differences.any() else 0.0
    return float(differences.mean() / differences.std(ddof=1))


def _no_spread(differences: np.ndarray) -> bool:
    return bool(np.ptp(differences) <= 1e-9 * np.abs(differences).max())


def _mean(differences: np.ndarray) -> float:
    infinite = set(differences[np.isinf(differences)].tolist())
    if not len(differences) or len(infinite) > 1:
        return math.nan
    return infinite.pop() if infinite else float(differences.mean())


def _median(differences: np.ndarray) -> float:
    if not len(differences):
        return math.nan
    ordered = np.sort(differences)
    lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    # Half of the differences to either infinity have no middle.
    return math.nan if np.isinf(lower) and np.isinf(upper) and lower != upper else float((lower + upper) / 2)
