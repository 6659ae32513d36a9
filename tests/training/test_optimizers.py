"""Optimisers do what their settings say, by numbers worked out by hand."""

import dataclasses
import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import OptimizerConfig, load_config
from attent_tf.errors import ConfigError
from attent_tf.training.optimizers import make_optimizer
from attent_tf.training.weight_update import WeightUpdate


def _updated(config, gradients, start, factor=1.0):
    """The weights after gradients were applied one after the other."""
    weights = keras.Variable(np.array(start, np.float32), name="weights")
    update = WeightUpdate(config, 10, [weights], rate_factors=[factor])
    for gradient in gradients:
        update.apply([tf.constant(gradient, tf.float32)])
    return weights.numpy()


def test_momentum_carries_half_of_the_step_before():
    config = OptimizerConfig(kind="sgd", learning_rate=0.1, momentum=0.5)
    # 0 − 0.1 · 1, then − (0.5 · 0.1 + 0.1 · 1).
    np.testing.assert_allclose(_updated(config, [[1.0], [1.0]], [0.0]), [-0.25], rtol=1e-6)


def test_weight_decay_is_the_slope_of_the_penalty_and_leaves_biases_alone():
    config = OptimizerConfig(kind="sgd", learning_rate=0.1, weight_decay=0.2)
    # A kernel: 3 − 0.1 · (1 + 0.2 · 3).
    np.testing.assert_allclose(_updated(config, [[[1.0]]], [[3.0]]), [[2.84]], rtol=1e-6)
    np.testing.assert_allclose(_updated(config, [[1.0]], [3.0]), [2.9], rtol=1e-6)


def test_weight_decay_is_not_clipped():
    config = OptimizerConfig(kind="sgd", learning_rate=1.0, weight_decay=0.5, clip_norm=1.0)
    # 4 − (1 + 0.5 · 4): the gradient of 8 counts as 1.
    np.testing.assert_allclose(_updated(config, [[[8.0]]], [[4.0]]), [[1.0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "step", "rate"),
    [
        ({}, 99, 0.1),
        ({"decay_from": 0.5}, 75, 0.05),
        ({"decay": "poly", "decay_power": 2.0}, 50, 0.025),
        ({"decay": "poly"}, 100, 0.0),
        ({"decay": "poly", "decay_power": 2.0, "decay_steps": 200}, 100, 0.025),
        ({"decay": "exponential", "decay_every": 10, "decay_factor": 0.5}, 29, 0.025),
    ],
)
def test_rates_fall_as_they_are_told(settings, step, rate):
    optimizer = make_optimizer(OptimizerConfig(learning_rate=0.1, **settings), 100, [keras.Variable([0.0])])
    optimizer.iterations.assign(step)
    assert float(tf.convert_to_tensor(optimizer.learning_rate)) == pytest.approx(rate, abs=1e-8)


@pytest.mark.parametrize("kind", ["adam", "sgd", "rmsprop"])
def test_ten_times_the_rate_is_ten_times_the_way(kind):
    config = OptimizerConfig(kind=kind, learning_rate=0.01, momentum=0.5, weight_decay=0.2)
    once, tenfold = (_updated(config, [[1.0]], [0.0], factor) for factor in (1.0, 10.0))
    np.testing.assert_allclose(tenfold, 10 * once, rtol=1e-6)
    np.testing.assert_allclose(
        _updated(config, [[[1.0]], [[-2.0]]], [[3.0]], 10.0),
        _updated(dataclasses.replace(config, learning_rate=0.1), [[[1.0]], [[-2.0]]], [[3.0]]),
        rtol=1e-6,
    )


def test_variables_of_other_rates_have_moments_of_their_own_and_all_are_kept():
    weights = [keras.Variable(np.zeros(1, np.float32), name=name) for name in ("slow", "fast")]
    update = WeightUpdate(
        OptimizerConfig(kind="sgd", learning_rate=1.0, momentum=0.5), 10, weights, rate_factors=[1, 10]
    )
    for gradient in (1.0, 0.0):
        update.apply([tf.constant([gradient]), tf.constant([2 * gradient])])
    # −1 − 0.5, and ten times twice that.
    np.testing.assert_allclose([float(weight[0]) for weight in weights], [-1.5, -30.0])
    momenta = [variable for variable in update.state() if variable.shape == (1,)]
    np.testing.assert_allclose([float(momentum[0]) for momentum in momenta], [-0.5, -10.0])


@pytest.mark.slow
def test_adam_is_that_of_keras_through_a_falling_rate():
    config = OptimizerConfig(learning_rate=5e-4, beta_1=0.5, decay_from=0.5)
    draw = np.random.default_rng(0)
    starts = [draw.normal(size=(2, 3)).astype(np.float32), draw.normal(size=3).astype(np.float32)]
    ours, theirs = ([keras.Variable(start) for start in starts] for _ in range(2))
    update = WeightUpdate(config, 200, ours, rate_factors=[1, 10])
    # One for each rate; its schedule is ours.
    peers = [
        make_optimizer(dataclasses.replace(config, learning_rate=factor * 5e-4), 200, [variable])
        for factor, variable in zip((1, 10), theirs, strict=True)
    ]
    for scale in 10.0 ** draw.uniform(-6, 1, size=200):
        gradients = [tf.constant(scale * draw.normal(size=start.shape), tf.float32) for start in starts]
        update.apply(gradients)
        for peer, gradient, variable in zip(peers, gradients, theirs, strict=True):
            peer.apply([gradient], [variable])
    for variable, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(variable.numpy(), expected.numpy(), rtol=0, atol=1e-6)
    for variable, expected in zip(update.optimizer.variables[-2:], peers[1].variables[-2:], strict=True):
        # In float32, 1 − 0.999 is off by 1.3e-5 of itself.
        np.testing.assert_allclose(variable.numpy(), expected.numpy(), rtol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["adam", "sgd"])
def test_nothing_keeps_a_step_once_it_was_traced_and_forgotten(kind):
    def graph_of_a_step():
        strategy = tf.distribute.MirroredStrategy(["CPU:0"])
        with strategy.scope():
            update = WeightUpdate(OptimizerConfig(kind=kind), 10, [keras.Variable([1.0])])
        step = tf.function(lambda gradient: update.apply([gradient]))
        return weakref.ref(step.get_concrete_function(tf.TensorSpec([1])).graph)

    graph = graph_of_a_step()
    gc.collect()
    assert graph() is None


@pytest.mark.parametrize("kind", ["adam", "sgd", "rmsprop"])
def test_each_kind_goes_downhill(kind):
    (weight,) = _updated(OptimizerConfig(kind=kind, learning_rate=0.01), [[1.0]] * 3, [1.0])
    assert 0.9 < weight < 1.0


@pytest.mark.parametrize("change", ["kind=lion", "decay=cosine", "decay_every=0", "momentum=1", "decay_factor=0"])
def test_settings_that_mean_nothing_are_refused_with_their_key(change):
    with pytest.raises(ConfigError, match=rf"translation\.generator\.{change.split('=')[0]}"):
        load_config("demo", [f"translation.generator.{change}"])
