"""What several replicas are given, and how their gradients become one update.

Gradients are clipped after the sum, and an update is skipped on all where one overflowed.
"""

import json

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.data.batches import batches
from attent_tf.training.precision import LossScale
from tests.support.programs import run_program
from tests.training.replicas import SLICES, STILL


@pytest.fixture(scope="module")
def found():
    """What `replicas.py` says."""
    return json.loads(run_program("tests.training.replicas").splitlines()[-1])


@pytest.mark.slow
def test_gradients_are_summed_over_replicas(found):
    assert found["summed"] == [-3.0, -4.0]


@pytest.mark.slow
def test_clipping_acts_on_the_sum(found):
    # The sum (3, 4) has the norm 5. Each part clipped by itself would have given (1, 1).
    np.testing.assert_allclose(found["clipped"], [-0.6, -0.8], rtol=1e-6)


@pytest.mark.slow
def test_a_scaled_gradient_is_unscaled_before_it_is_clipped(found):
    np.testing.assert_allclose(found["scaled and clipped"], [-0.6, -0.8], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("replica", [0, 1])
@pytest.mark.parametrize("bad", ["inf", "nan", "-inf"])
def test_an_overflow_on_either_replica_skips_the_step_on_both(found, replica, bad):
    before, copies, halved, after = found[f"overflow {replica} {bad}"]
    assert before == [-1.0, -1.0]
    assert copies == [before, before]
    assert halved == 0.5
    assert after == [-2.0, -1.0]


@pytest.mark.slow
def test_each_replica_has_an_image_pool_of_its_own(found):
    first, second = found["shown"]
    assert max(first) < 40
    assert min(second) >= 100
    assert sum(image != step for step, image in enumerate(first)) > 5


def test_the_loss_scale_grows_after_a_long_time_without_overflow_and_not_beyond_its_bounds():
    scale = LossScale(initial=4.0, growth_steps=3)
    seen = []
    for finite in (True, True, True, True, False, True, True, True, False, False, False, False, False, False):
        scale.update(tf.constant(finite))
        seen.append(float(scale.value))
    assert seen == [4, 4, 8, 8, 4, 4, 4, 8, 4, 2, 1, 1, 1, 1]


@pytest.mark.slow
def test_each_replica_is_given_what_follows_the_other_ones_in_the_order_of_slices(found):
    # Batches of two to two replicas, from step 1 on: the second and third batches of four.
    whole = batches(SLICES, STILL, 4, 0, 5, first=1).take(2)
    expected = [[float(slice_[0, 0, 0]) for slice_ in batch] for batch in whole.as_numpy_iterator()]
    np.testing.assert_allclose([[*first, *second] for first, second in found["given"]], expected, atol=1e-6)


@pytest.mark.slow
def test_each_replica_reads_a_pipeline_of_its_own(found):
    """One for both would be read through pipelines that tune themselves, and that who lets them go waits for."""
    assert found["shares"] == [[2, 0, 1], [2, 1, 1]]
