"""The messages on the wire, against an independent reading of it."""

import struct

import numpy as np
import pytest

from attent_tf.errors import ServerError
from attent_tf.serving import messages
from tests.support import wire


def test_a_predict_request_has_servings_field_numbers():
    values = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    request = messages.make_predict_request("attent", 7, "raw", {"image": messages.make_tensor(values)})
    content = request.SerializeToString()
    spec = wire.only(content, 1)
    assert wire.only(spec, 1) == b"attent"
    assert wire.only(wire.only(spec, 2), 1) == 7
    assert wire.only(spec, 3) == b"raw"
    entry = wire.only(content, 2)
    assert wire.only(entry, 1) == b"image"
    tensor = wire.only(entry, 2)
    assert wire.only(tensor, 1) == 1
    assert [wire.only(dim, 1) for number, dim in wire.fields(wire.only(tensor, 2)) if number == 2] == [1, 2, 3]
    assert wire.only(tensor, 4) == struct.pack("<6f", *range(6))


def test_the_newest_version_is_no_version():
    request = messages.make_predict_request("attent", None, "", {})
    assert [number for number, _ in wire.fields(wire.only(request.SerializeToString(), 1))] == [1]


def test_both_forms_of_a_tensor_are_read():
    values = np.random.default_rng(0).normal(0, 1, (2, 3)).astype(np.float32)
    np.testing.assert_array_equal(messages.read_tensor(messages.make_tensor(values)), values)
    shape = messages.make_tensor(values).tensor_shape
    fields = messages.make_message("Tensor", dtype=1, tensor_shape=shape, float_val=values.ravel().tolist())
    np.testing.assert_array_equal(messages.read_tensor(fields), values)
    whole = messages.make_message("Tensor", dtype=9, tensor_shape=shape, int64_val=range(6))
    np.testing.assert_array_equal(messages.read_tensor(whole), np.arange(6).reshape(2, 3))
    constant = messages.make_constant(-1.0, (2, 2))
    np.testing.assert_array_equal(messages.read_tensor(constant), np.full((2, 2), -1.0))
    assert constant.ByteSize() < 30


def test_other_types_and_sizes_are_told():
    with pytest.raises(ServerError, match="TensorFlow's type 7"):
        messages.read_tensor(messages.make_message("Tensor", dtype=7))
    broken = messages.make_constant(0.0, (2, 2))
    broken.float_val.append(1.0)
    with pytest.raises(ServerError, match="found 2"):
        messages.read_tensor(broken)
