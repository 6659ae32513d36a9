"""Batch normalisation in one operation is Keras's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from attent_tf.layers import BatchNormalization

_SHAPE = (3, 4, 5, 2)


def _images(seed, shape=_SHAPE):
    return tf.constant(np.random.default_rng(seed).normal(3, 2, shape).astype(np.float32))


def _both(**options):
    pair = (BatchNormalization(**options), keras.layers.BatchNormalization(**options))
    for layer in pair:
        layer.build((None, *_SHAPE[1:]))
        for weight, value in zip(layer.weights, ([1.5, 0.5], [0.1, -2.0], [2.0, 3.5], [4.0, 0.25]), strict=True):
            weight.assign(value)
    return pair


def _trained(layer, images, training=True):
    # Around 0, so that neither loses digits in sums that cancel.
    weighing = _images(9, images.shape) - 3
    with tf.GradientTape() as tape:
        tape.watch(images)
        y = layer(images, training=training)
        loss = tf.reduce_sum(y * weighing)
    return [y, *tape.gradient(loss, [images, *layer.trainable_variables]), layer.moving_mean, layer.moving_variance]


def _assert_alike(found, expected):
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("traced", [True, False])
def test_results_gradients_and_statistics_are_those_of_keras(training, traced):
    ours, theirs = _both(momentum=0.9, epsilon=1.001e-5)
    for seed in range(3):
        run = tf.function(_trained) if traced else _trained
        _assert_alike(run(ours, _images(seed), training), _trained(theirs, _images(seed), training))


def test_statistics_follow_the_variance_of_the_batch_not_the_unbiased_one():
    layer = BatchNormalization(momentum=0.0)
    layer(tf.constant([[[[1.0]], [[3.0]]]]), training=True)
    assert (float(layer.moving_mean[0]), float(layer.moving_variance[0])) == (2.0, pytest.approx(1.0))


def test_one_pixel_alone_has_no_variance():
    layer = BatchNormalization(momentum=0.0)
    assert float(tf.squeeze(layer(tf.constant([[[[7.0]]]]), training=True))) == 0.0
    assert float(layer.moving_variance[0]) == 0.0


def test_a_frozen_layer_keeps_its_statistics():
    ours, theirs = _both(momentum=0.5)
    for layer in (ours, theirs):
        layer.trainable = False
    np.testing.assert_allclose(ours(_images(0), training=True), theirs(_images(0), training=True), rtol=1e-6)
    np.testing.assert_array_equal(ours.moving_mean, [2.0, 3.5])


def test_an_epsilon_that_the_operation_refuses_is_taken_all_the_same():
    ours, theirs = _both(epsilon=1e-7)
    _assert_alike(_trained(ours, _images(0)), _trained(theirs, _images(0)))


def test_moments_are_taken_in_float32_whatever_the_precision():
    layer = BatchNormalization(momentum=0.0, dtype="mixed_bfloat16")
    images = 1000.0 + _images(0)
    y = layer(tf.cast(images, tf.bfloat16), training=True)
    assert y.dtype == tf.bfloat16
    seen = tf.cast(tf.cast(images, tf.bfloat16), tf.float32)
    np.testing.assert_allclose(layer.moving_variance, np.var(seen, axis=(0, 1, 2)), rtol=1e-4)


def test_training_is_one_operation_and_its_gradient_another():
    ours, _ = _both()
    kinds = [op.type for op in tf.function(_trained).get_concrete_function(ours, _images(0)).graph.get_operations()]
    assert kinds.count("FusedBatchNormV3") == kinds.count("FusedBatchNormGradV3") == 1
    assert "SquaredDifference" not in kinds
