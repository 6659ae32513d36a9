import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from attent_tf.metrics.significance import PairedTest, holm, paired_test


def test_three_pairs_by_hand():
    # Differences 1, 2 and 3: of 8 sign patterns only + + + and - - - reach a sum of 6.
    test = paired_test([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (test.mean_difference, test.n) == (2.0, 3)
    assert test.p_value == test.least_p_value == 2 / 8


def test_equal_methods_have_p_one():
    assert paired_test([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).p_value == 1.0
    assert paired_test([1.0, 3.0], [2.0, 2.0]).p_value == 1.0


def test_agrees_with_all_sign_patterns():
    random = np.random.default_rng(5)
    for n in range(1, 9):
        differences = random.normal(0.5, 1.0, n)
        sums = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=n)]
        expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-9)
        assert paired_test(differences, np.zeros(n)).p_value == pytest.approx(expected)


@pytest.mark.parametrize("n", [2, 5, 11])
@pytest.mark.parametrize("digits", [0, 9])
def test_agrees_with_scipys_exact_permutation_test(n, digits):
    """Rounded to whole numbers, sums of several patterns are ties."""
    differences = np.round(np.random.default_rng(n).normal(0.5, 2.0, n), digits)
    expected = stats.permutation_test(
        (differences, np.zeros(n)),
        lambda first, second, axis: np.mean(first - second, axis=axis),
        permutation_type="samples",
        n_resamples=2**n,
        vectorized=True,
    )
    assert paired_test(differences, np.zeros(n)).p_value == expected.pvalue


def test_many_pairs_are_sampled_the_same_each_time():
    random = np.random.default_rng(6)
    first, second, third = (random.normal(mean, 1.0, 30) for mean in (1.0, 0.0, 0.0))
    assert paired_test(first, second) == paired_test(first, second)
    assert paired_test(first, second).p_value < 0.05 < paired_test(second, np.roll(second, 1)).p_value
    undecided = paired_test(second, third)
    assert 0.1 < undecided.p_value < 1
    assert undecided == paired_test(second, third)


def test_up_to_20_pairs_are_exact_and_more_are_sampled():
    exact, sampled = (paired_test(np.full(n, 2.0), np.zeros(n)) for n in (20, 21))
    assert exact == PairedTest(2.0, 20, 0.5**19, 0.5**19)
    # None of 100 000 patterns is as extreme, and what was observed counts as one more.
    assert sampled == PairedTest(2.0, 21, 1 / 100_001, 1 / 100_001)
    assert paired_test(np.zeros(21), np.zeros(21)).p_value == 1.0


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e9])
def test_sums_that_differ_by_rounding_alone_are_ties(scale):
    # Of 8 patterns those of + + - and - - + sum to nothing but for rounding, and none is less.
    assert paired_test(scale * np.array([0.1, 0.2, -0.3]), np.zeros(3)).p_value == 1.0
    # 0.6, 0.4, 0.2 and 0: half of the patterns reach 0.4.
    assert paired_test(scale * np.array([0.1, 0.3, 0.0]), np.zeros(3)).p_value == 0.5
    # What is less by a millionth is less.
    assert paired_test(scale * np.array([1.0, 1e-6]), np.zeros(2)).p_value == 0.5


def test_the_pattern_that_was_seen_counts_however_large_the_numbers_and_whatever_the_order_of_their_sum():
    random = np.random.default_rng(7)
    for _ in range(20):
        differences = 1e9 * random.uniform(0.1, 1.0, 7)
        assert paired_test(differences, np.zeros(7)).p_value == 0.5**6


def test_scores_may_be_any_numbers():
    assert paired_test([True, True, False, False], [False] * 4).mean_difference == 0.5
    assert holm([True, False]) == [1.0, 0.0]


def test_no_pairs_is_undefined():
    nothing = paired_test([], [])
    assert nothing.n == 0
    assert all(map(math.isnan, (nothing.mean_difference, nothing.p_value, nothing.least_p_value)))


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=8))
@settings(deadline=None)
def test_order_of_methods_and_of_cases_does_not_matter(differences):
    values = np.array(differences, float)
    p = paired_test(values, np.zeros(len(values))).p_value
    assert p == paired_test(np.zeros(len(values)), values).p_value
    assert p == paired_test(values[::-1], np.zeros(len(values))).p_value
    assert 0.5 ** (len(values) - 1) <= p <= 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    corrected = holm([0.01, math.nan, 0.02])
    assert corrected[0] == pytest.approx(0.02)
    assert math.isnan(corrected[1])
    assert corrected[2] == pytest.approx(0.02)
