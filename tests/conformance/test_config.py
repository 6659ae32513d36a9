"""A configuration, through JSON and through Keras's file format, brings back the same layer or network."""

import inspect
import json

import keras
import numpy as np

from tests.conformance.calls import expected, filled, outputs, tensors
from tests.conformance.catalogue import FUNCTIONS, MODELS, NETWORKS, over

_CONFIGURED = NETWORKS + tuple(row for row in FUNCTIONS if hasattr(row.subject, "get_config"))


@over(_CONFIGURED)
def test_every_argument_is_in_the_configuration(row):
    arguments = [name for name in inspect.signature(row.subject.__init__).parameters if name not in ("self", "kwargs")]
    assert set(arguments) <= set(row.make().get_config())


@over(_CONFIGURED)
def test_configuration_comes_back_through_json(row):
    first, inputs = filled(row), tensors(row)
    text = json.dumps(keras.saving.serialize_keras_object(first))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert type(again) is row.subject
    assert again.get_config() == first.get_config()
    outputs(again, inputs)
    if isinstance(again, keras.layers.Layer):
        again.set_weights(first.get_weights())
    _assert_equal(outputs(again, inputs), expected(row))


@over(MODELS)
def test_models_come_back_from_keras_files(row, tmp_path):
    model = filled(row)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_config() == model.get_config()
    _assert_equal(outputs(again, tensors(row)), expected(row))


def _assert_equal(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
