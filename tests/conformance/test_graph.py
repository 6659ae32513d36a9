"""A `tf.function` gives what eager execution gives, forwards and backwards."""

import tensorflow as tf

from tests.conformance.calls import assert_close, gradient, make_filled, outputs, tensors
from tests.conformance.catalogue import ALL, DIFFERENTIABLE, STATEFUL, over


@over(ALL + STATEFUL)
def test_outputs_in_a_graph(row):
    # Each its own, since a pool of images changes when it is called.
    eager, in_graph, inputs = make_filled(row), make_filled(row), tensors(row)
    assert_close(tf.function(lambda *x: outputs(in_graph, x))(*inputs), outputs(eager, inputs))


@over(DIFFERENTIABLE)
def test_gradients_in_a_graph(row):
    function, inputs = make_filled(row), tensors(row)
    in_graph = tf.function(lambda *x: [g for g in gradient(function, x) if g is not None])(*inputs)
    assert_close(in_graph, [g for g in gradient(function, inputs) if g is not None], rtol=1e-3)
