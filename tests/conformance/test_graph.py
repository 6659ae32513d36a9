"""A `tf.function` gives what eager execution gives, forwards and backwards."""

import tensorflow as tf

from tests.conformance.calls import assert_close, filled, gradient, make_filled, outputs, tensors
from tests.conformance.catalogue import ALL, DIFFERENTIABLE, STATEFUL, over


@over([row for row in ALL + STATEFUL if row not in DIFFERENTIABLE])
def test_outputs_in_a_graph(row):
    # Each its own, since a pool of images changes when it is called.
    eager, in_graph, inputs = make_filled(row), make_filled(row), tensors(row)
    assert_close(tf.function(lambda *x: outputs(in_graph, x))(*inputs), outputs(eager, inputs))


@over(DIFFERENTIABLE)
def test_outputs_and_gradients_in_a_graph(row):
    """Traced once for both, which is most of what this takes."""
    function, inputs = filled(row), tensors(row)

    def both(*x):
        return outputs(function, x), [g for g in gradient(function, x) if g is not None]

    found, expected = tf.function(both)(*inputs), both(*inputs)
    assert_close(found[0], expected[0])
    assert_close(found[1], expected[1], rtol=1e-3)
