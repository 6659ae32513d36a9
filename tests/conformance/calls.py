"""How the properties call a row: filled weights, flat outputs, gradients."""

import contextlib
import functools

import keras
import numpy as np
import tensorflow as tf

from tests.conformance.catalogue import Row
from tests.conformance.formula import fill, spread


def make_filled(row: Row):
    """Returns the row's callable, its weights made and filled from the formula."""
    function = row.make()
    if isinstance(function, keras.layers.Layer):
        function(*tensors(row))
    fill(variables(function))
    return function


@functools.cache
def filled(row: Row):
    """The same, made once for all tests that only call it and change none of its variables."""
    return make_filled(row)


@functools.cache
def spare(row: Row):
    """Another one, for tests that give all of its variables other values before they call it."""
    return make_filled(row)


@functools.cache
def filled_in(policy: str, row: Row):
    """The same as `filled`, under a precision policy."""
    with precision(policy):
        return make_filled(row)


@functools.cache
def expected(row: Row) -> list[tf.Tensor]:
    """Returns the outputs of `filled(row)`, called once for all tests that compare others with them."""
    return outputs(filled(row), tensors(row))


def tensors(row: Row, dtype=None) -> list[tf.Tensor]:
    """Returns the inputs, what is real cast to `dtype`."""
    inputs = [tf.constant(array) for array in row.inputs]
    return [tf.cast(x, dtype) if dtype and x.dtype.is_floating else x for x in inputs]


def variables(function) -> list:
    """Returns all variables in the order in which checkpoints hold them."""
    return list(getattr(function, "variables", []))


def outputs(function, inputs) -> list[tf.Tensor]:
    """Returns the outputs as a flat list."""
    return tf.nest.flatten(function(*inputs))


def gradient(function, inputs) -> list[tf.Tensor]:
    """Returns the gradient of a sum over examples: of the trainable variables, else of the inputs that are real.

    The sum weighs what an example gives unevenly, lest normalised outputs have no gradient at all.
    """
    targets = [v.value for v in getattr(function, "trainable_variables", [])]
    if not targets:
        targets = [x for x in inputs if x.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(targets)
        total = tf.add_n(
            [
                tf.reduce_sum(tf.cast(y, tf.float32) * spread(*y.shape[1:]))
                for y in outputs(function, inputs)
                if y.dtype.is_floating
            ]
        )
    return tape.gradient(total, targets, unconnected_gradients=tf.UnconnectedGradients.NONE)


def assert_close(found, expected, rtol=1e-4):
    """Compares lists of arrays, each up to a part of its largest value."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * max(float(np.abs(b).max(initial=0)), 1e-3))


@contextlib.contextmanager
def precision(policy: str):
    """Makes layers under a precision policy."""
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy("float32")
