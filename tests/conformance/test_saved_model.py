"""A SavedModel gives the same numbers for any batch, in all that it holds at once."""

import keras
import pytest
import tensorflow as tf

from tests.conformance.calls import assert_close, filled, outputs, tensors
from tests.conformance.catalogue import ALL, over

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def functions():
    """Each row's callable that can be made here."""
    return {row.name: filled(row) for row in ALL if row.is_available}


@pytest.fixture(scope="module")
def served(functions, tmp_path_factory):
    """All of them read back from one SavedModel, an endpoint each: what writing costs is paid once."""
    archive = keras.export.ExportArchive()
    for row in ALL:
        if row.is_available:
            function = functions[row.name]
            if isinstance(function, keras.layers.Layer):
                archive.track(function)
            archive.add_endpoint(row.name, _endpoint(function, len(row.inputs)), _signature(row))
    folder = tmp_path_factory.mktemp("saved_model")
    archive.write_out(str(folder), verbose=False)
    return tf.saved_model.load(str(folder))


@over(ALL)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_saved_model_gives_the_same_for_any_batch(row, count, functions, served):
    inputs = [tf.concat([x, x], axis=0)[:count] for x in tensors(row)]
    found = getattr(served, row.name)(*inputs)
    assert_close(found, outputs(functions[row.name], inputs))


def _signature(row):
    return [tf.TensorSpec((None, *x.shape[1:]), x.dtype, name=f"x{i}") for i, x in enumerate(tensors(row))]


def _endpoint(function, count):
    # Keras asks for as many arguments as the signature has, so `*x` would not do.
    if count == 1:
        return lambda x0: outputs(function, [x0])
    if count == 2:
        return lambda x0, x1: outputs(function, [x0, x1])
    if count == 3:
        return lambda x0, x1, x2: outputs(function, [x0, x1, x2])
    return lambda x0, x1, x2, x3: outputs(function, [x0, x1, x2, x3])
