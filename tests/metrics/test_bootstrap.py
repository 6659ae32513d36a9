import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from attent_tf.metrics.bootstrap import mean_interval, ratio_interval
from attent_tf.metrics.scores import METRICS
from attent_tf.metrics.summary import average_intervals, summarise
from tests.support.abdomen import ORGANS


def test_interval_of_two_values_by_hand():
    # Of two values a resample holds both low, both high, or one of each: quarters and a half.
    assert mean_interval([10.0, 20.0]) == (10.0, 20.0)


def test_equal_values_have_an_interval_of_no_width():
    assert mean_interval([7.0, 7.0, 7.0]) == (7.0, 7.0)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan], [1.0, 2.0, math.inf], [1.0, 2.0, -math.inf]])
def test_what_cannot_be_told_is_undefined(values):
    assert all(math.isnan(bound) for bound in mean_interval(values))


def test_agrees_with_scipy_on_the_mean():
    values = np.sort(np.random.default_rng(3).normal(85.0, 5.0, 12))
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=10_000, method="percentile", random_state=np.random.default_rng(0)
    )
    np.testing.assert_allclose(mean_interval(values), expected.confidence_interval, rtol=1e-12)


def test_agrees_with_the_normal_interval_for_many_cases():
    values = np.random.default_rng(4).normal(0.0, 1.0, 400)
    error = values.std() / np.sqrt(len(values))
    np.testing.assert_allclose(mean_interval(values), values.mean() + np.array([-1.96, 1.96]) * error, atol=0.02)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=8), st.randoms())
@settings(max_examples=15, deadline=None)
def test_order_of_cases_does_not_matter_and_the_mean_lies_inside(values, random):
    shuffled = random.sample(values, len(values))
    low, high = mean_interval(values)
    np.testing.assert_allclose(mean_interval(shuffled), (low, high), rtol=1e-9, atol=1e-9)
    assert min(values) - 1e-9 <= low <= np.mean(values) + 1e-6
    assert np.mean(values) - 1e-6 <= high <= max(values) + 1e-9


def test_a_row_without_a_value_in_a_resample_is_left_out_of_it():
    # The second row has a value in the second case alone: without that case the mean is 10, else that of 10 and 100.
    assert ratio_interval(np.array([[10.0, 10.0], [0.0, 100.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])) == (10.0, 55.0)


def test_slices_of_a_case_are_drawn_together():
    # Drawn one by one, the 200 slices would give a narrow interval; there are only two cases.
    together = ratio_interval(np.array([[0.0, 100.0 * 100]]), np.array([[100.0, 100.0]]))
    assert together == (0.0, 100.0)
    apart = mean_interval([0.0] * 100 + [100.0] * 100)
    assert 40.0 < apart[0] < apart[1] < 60.0


def _unit(dice):
    return {organ: dict.fromkeys(METRICS, dice) for organ in ORGANS}


def test_summaries_draw_cases_and_not_units():
    units = [_unit(value) for value in [0.0] * 10 + [100.0] * 10]
    cases = ["a"] * 10 + ["b"] * 10
    organs, average = summarise(units, ORGANS, ORGANS, cases)
    assert (organs["liver"]["dice"]["ci95_low"], organs["liver"]["dice"]["ci95_high"]) == (0.0, 100.0)
    assert organs["liver"]["dice"]["median"] == 50.0
    assert average_intervals(units, ORGANS, cases)["dice"] == (0.0, 100.0)
    assert average["dice"] == 50.0
    alone = summarise(units, ORGANS, ORGANS)[0]["liver"]["dice"]
    assert 20.0 < alone["ci95_low"] < alone["ci95_high"] < 80.0


def test_an_infinite_distance_leaves_a_median_and_no_interval():
    distances = summarise([_unit(value) for value in (1.0, 3.0, math.inf)], ORGANS, ORGANS)[0]["spleen"]["assd_mm"]
    assert (distances["mean"], distances["median"], distances["n_infinite"]) == (math.inf, 3.0, 1)
    assert all(math.isnan(distances[key]) for key in ("std", "ci95_low", "ci95_high"))
