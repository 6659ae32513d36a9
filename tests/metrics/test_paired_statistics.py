import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from attent_tf.metrics.paired_statistics import paired_statistics

_ODD = ("mean_difference", "median_difference", "t_statistic", "cohen_dz", "rank_biserial")
_EVEN = ("n", "n_undefined", "n_infinite", "wilcoxon_statistic", "wilcoxon_p", "t_p", "sign_flip_p", "least_p")


def test_four_pairs_by_hand():
    # Differences 1, 2, 3 and -4: ranks are their sizes.
    found = paired_statistics([2.0, 4.0, 6.0, 1.0], [1.0, 2.0, 3.0, 5.0])
    assert (found.n, found.mean_difference, found.median_difference) == (4, 0.5, 1.5)
    assert found.wilcoxon_statistic == 4.0
    # Of 16 sign patterns, 14 have a rank sum of at most 4 on one side: all but those with 5 and 5.
    assert found.wilcoxon_p == pytest.approx(14 / 16)
    assert found.rank_biserial == pytest.approx((6 - 4) / 10)
    spread = math.sqrt((0.5**2 + 1.5**2 + 2.5**2 + 4.5**2) / 3)
    assert found.cohen_dz == pytest.approx(0.5 / spread)
    assert found.t_statistic == pytest.approx(0.5 / spread * 2)
    assert found.least_p == 2 / 16


@pytest.mark.parametrize("n", [2, 5, 12, 40, 60])
def test_agrees_with_scipy_without_ties(n):
    random = np.random.default_rng(n)
    first, second = random.normal(1.0, 2.0, (2, n))
    found = paired_statistics(first, second)
    wilcoxon, t = stats.wilcoxon(first, second), stats.ttest_rel(first, second)
    assert found.wilcoxon_statistic == pytest.approx(wilcoxon.statistic)
    assert found.wilcoxon_p == pytest.approx(wilcoxon.pvalue)
    assert (found.t_statistic, found.t_p) == pytest.approx((t.statistic, t.pvalue))
    assert found.cohen_dz == pytest.approx(t.statistic / math.sqrt(n))


def test_tied_ranks_are_tested_over_all_sign_patterns():
    differences = np.array([1.0, 1.0, 2.0, -1.0, 3.0, 3.0])
    ranks = np.array([2.0, 2.0, 4.0, -2.0, 5.5, 5.5])
    sums = [abs(np.dot(signs, ranks)) for signs in itertools.product((-1, 1), repeat=6)]
    expected = np.mean(np.array(sums) >= abs(ranks.sum()) - 1e-9)
    assert paired_statistics(differences, np.zeros(6)).wilcoxon_p == pytest.approx(expected)


def test_the_smallest_rank_counts_on_either_side():
    # Differences 1 and -2, then -1 and 2: the smaller rank sum is 1.
    assert paired_statistics([1.0, 0.0], [0.0, 2.0]).wilcoxon_statistic == 1.0
    assert paired_statistics([0.0, 2.0], [1.0, 0.0]).wilcoxon_statistic == 1.0


def test_ranks_are_tied_where_nine_digits_agree():
    # -1 and 1.0000000003 share the ranks 1 and 2, so the smaller sum is 1.5.
    assert paired_statistics([0.0, 1.0000000003, 3.0], [1.0, 0.0, 0.0]).wilcoxon_statistic == 1.5


def test_the_median_is_infinite_where_most_differences_are():
    found = paired_statistics([math.inf, math.inf, 1.0], [1.0, 1.0, 0.0])
    assert found.median_difference == math.inf


def test_equal_runs_differ_in_nothing():
    found = paired_statistics([80.0, 90.0, 85.0], [80.0, 90.0, 85.0])
    assert (found.mean_difference, found.ci95_low, found.ci95_high) == (0.0, 0.0, 0.0)
    assert (found.wilcoxon_p, found.t_p, found.sign_flip_p) == (1.0, 1.0, 1.0)
    assert (found.cohen_dz, found.rank_biserial, found.t_statistic) == (0.0, 0.0, 0.0)


def test_a_constant_difference_has_no_spread_to_measure_it_by():
    found = paired_statistics([81.1, 91.1, 86.1], [80.0, 90.0, 85.0])
    assert found.mean_difference == pytest.approx(1.1)
    assert math.isnan(found.cohen_dz)
    assert math.isnan(found.t_p)
    # Equal on paper, they are equal in rank as well.
    assert (found.wilcoxon_p, found.rank_biserial) == (0.25, 1.0)


def test_undefined_pairs_are_left_out_and_counted():
    found = paired_statistics([1.0, math.nan, 3.0, 4.0], [0.0, 2.0, math.nan, 2.0])
    assert (found.n, found.n_undefined, found.mean_difference) == (2, 2, 1.5)
    nothing = paired_statistics([math.nan], [1.0])
    assert (nothing.n, nothing.n_undefined) == (0, 1)
    tests = ("wilcoxon_statistic", "wilcoxon_p", "t_p", "sign_flip_p", "least_p")
    assert all(math.isnan(getattr(nothing, name)) for name in (*_ODD, *tests))


def test_a_missed_organ_is_the_largest_rank():
    found = paired_statistics([1.0, 2.0, math.inf], [2.0, 4.0, 1.0])
    assert (found.n, found.n_infinite) == (3, 1)
    assert (found.mean_difference, found.median_difference) == (math.inf, -1.0)
    # Ranks 1 and 2 against 3.
    assert (found.wilcoxon_statistic, found.rank_biserial) == (3.0, 0.0)
    assert found.wilcoxon_p == 1.0
    for name in ("ci95_low", "ci95_high", "t_statistic", "t_p", "sign_flip_p", "cohen_dz"):
        assert math.isnan(getattr(found, name)), name


def test_an_organ_that_both_missed_is_a_tie():
    found = paired_statistics([math.inf, 1.0, 2.0], [math.inf, 2.0, 4.0])
    assert (found.n, found.n_infinite, found.mean_difference) == (3, 0, -1.0)
    assert found.rank_biserial == -1.0


def test_organs_missed_by_either_have_no_mean_difference():
    found = paired_statistics([math.inf, 1.0], [1.0, math.inf])
    assert math.isnan(found.mean_difference)
    assert math.isnan(found.median_difference)
    assert (found.wilcoxon_p, found.rank_biserial) == (1.0, 0.0)


scores = st.one_of(st.integers(0, 20).map(float), st.just(math.inf), st.just(math.nan))


@given(st.lists(st.tuples(scores, scores), max_size=8))
@settings(max_examples=30, deadline=None)
def test_a_swap_of_the_runs_flips_the_sign(pairs):
    first, second = (np.array([pair[side] for pair in pairs], float) for side in (0, 1))
    forwards, backwards = paired_statistics(first, second), paired_statistics(second, first)
    for name in _ODD:
        assert getattr(forwards, name) == pytest.approx(-getattr(backwards, name), nan_ok=True), name
    for name in _EVEN:
        assert getattr(forwards, name) == pytest.approx(getattr(backwards, name), nan_ok=True), name
    # Quantiles of finitely many resamples are no mirror images to the last digit.
    assert math.isnan(forwards.ci95_low) == math.isnan(backwards.ci95_high)


@given(st.lists(st.tuples(scores, scores), max_size=8), st.randoms())
@settings(max_examples=30, deadline=None)
def test_order_of_cases_does_not_matter(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    in_order, reordered = (
        paired_statistics([pair[0] for pair in order], [pair[1] for pair in order]) for order in (pairs, shuffled)
    )
    for name, value in dataclasses.asdict(in_order).items():
        assert value == pytest.approx(getattr(reordered, name), nan_ok=True), name
        if name.endswith("_p"):
            assert math.isnan(value) or 0.0 <= value <= 1.0
