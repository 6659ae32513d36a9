"""A SavedModel gives the same numbers for any batch, in all that it holds at once."""

import pytest
import tensorflow as tf

from tests.conformance.calls import assert_close, filled, outputs, tensors, variables
from tests.conformance.catalogue import ALL, over

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def functions():
    """Each row's callable that can be made here."""
    return {row.name: filled(row) for row in ALL if row.is_available}


@pytest.fixture(scope="module")
def served(functions, tmp_path_factory):
    """Signatures read back from one SavedModel, one of each row: what writing costs is paid once.

    It is written as `attent export` writes: variables, and functions that are traced once.
    """
    module = tf.Module()
    module.weights = [getattr(v, "value", v) for function in functions.values() for v in variables(function)]
    rows = [row for row in ALL if row.is_available]
    signatures = {row.name: _signature(row, functions[row.name]) for row in rows}
    folder = tmp_path_factory.mktemp("saved_model")
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return tf.saved_model.load(str(folder)).signatures


@over(ALL)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_saved_model_gives_the_same_for_any_batch(row, count, functions, served):
    inputs = [tf.concat([x, x], axis=0)[:count] for x in tensors(row)]
    found = served[row.name](**{f"x{i}": x for i, x in enumerate(inputs)})
    assert_close([found[f"y{i}"] for i in range(len(found))], outputs(functions[row.name], inputs))


def _signature(row, function):
    specs = [tf.TensorSpec((None, *x.shape[1:]), x.dtype, name=f"x{i}") for i, x in enumerate(tensors(row))]
    named = tf.function(lambda *x: {f"y{i}": y for i, y in enumerate(outputs(function, x))}, autograph=False)
    return named.get_concrete_function(*specs)
