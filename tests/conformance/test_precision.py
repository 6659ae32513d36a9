"""Half precision stays finite, and is left where the numbers are losses, logits, probabilities or entropies."""

import numpy as np
import pytest
import tensorflow as tf

from tests.conformance.calls import expected, filled_in, gradient, outputs, tensors
from tests.conformance.catalogue import ALL, LOSSES, NETWORKS, over

_POLICIES = {"mixed_bfloat16": tf.bfloat16, "mixed_float16": tf.float16}


@pytest.mark.parametrize("policy", _POLICIES)
@over([row for row in ALL if row.name != "constant_then_linear"])
def test_outputs_are_finite_of_the_right_type_and_near_full_precision(row, policy):
    half = _POLICIES[policy]
    # What is given to a function is in half precision already; layers and models cast by themselves.
    function = filled_in(policy, row)
    found = outputs(function, tensors(row) if row in NETWORKS else tensors(row, half))
    for place, (mine, full) in enumerate(zip(found, expected(row), strict=True)):
        assert mine.dtype == (tf.float32 if place in row.float32 else half)
        difference = np.asarray(tf.cast(mine, tf.float32)) - full
        assert np.all(np.isfinite(difference))
        assert np.sqrt(np.mean(difference**2)) < 0.05 * np.sqrt(np.mean(np.asarray(full) ** 2)) + 1e-3
    for variable in getattr(function, "variables", []):
        # Beside weights a layer that leaves values out in training keeps the state of its random numbers.
        assert variable.dtype == "float32" or "seed_generator" in variable.path


@pytest.mark.parametrize("policy", _POLICIES)
@over(NETWORKS)
def test_gradients_are_finite(row, policy):
    for part in gradient(filled_in(policy, row), tensors(row)):
        assert np.all(np.isfinite(tf.cast(part, tf.float32)))


@over(LOSSES)
def test_losses_are_finite_for_the_largest_half_precision_numbers(row):
    # As where a network has diverged: the trainer's own check decides what to do, on numbers that mean something.
    largest = [tf.sign(x) * 60000.0 if x.dtype.is_floating else x for x in tensors(row)]
    for result in outputs(row.make(), [tf.cast(x, tf.float16) if x.dtype.is_floating else x for x in largest]):
        assert np.all(np.isfinite(result))
