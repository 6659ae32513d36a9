"""Networks that follow others: numbers worked out by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from attent_tf.training.running_average import RunningAverage


def _network(value):
    network = keras.Sequential([keras.layers.Dense(1), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)])
    network.build((None, 1))
    _fill(network, value)
    return network


def _fill(network, value):
    for variable in network.weights:
        if variable.dtype == "float32":
            variable.assign(tf.fill(variable.shape, float(value)))


def _values(network):
    (value,) = {float(x) for v in network.weights if v.dtype == "float32" for x in np.ravel(v.numpy())}
    return value


def test_it_begins_as_a_copy_is_the_mean_at_first_and_then_forgets():
    followed, follower = _network(3), _network(7)
    average = RunningAverage(followed, follower, 0.6)
    average.begin()
    assert _values(follower) == 3
    found = []
    for step, value in enumerate([10, 20, 30, 40]):
        _fill(followed, value)
        average.update(tf.constant(step, tf.int64))
        found.append(_values(follower))
    # Decays 0, 1/2, 0.6 instead of 2/3, 0.6 instead of 3/4.
    assert found == pytest.approx([10, 15, 0.6 * 15 + 0.4 * 30, 0.6 * 21 + 0.4 * 40])
    assert _values(followed) == 40


def test_statistics_of_batch_norms_follow_and_random_states_do_not():
    followed, follower = _network(3), _network(7)
    seed = next(v for v in follower.variables if "seed" in v.path)
    theirs = next(v for v in followed.variables if "seed" in v.path)
    theirs.assign(theirs + 5)
    before = seed.numpy()
    RunningAverage(followed, follower, 0.5).begin()
    np.testing.assert_array_equal(follower.layers[1].moving_variance.numpy(), [3])
    np.testing.assert_array_equal(follower.layers[1].moving_mean.numpy(), [3])
    np.testing.assert_array_equal(seed.numpy(), before)
