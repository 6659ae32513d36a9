"""Ways of computing for processors give what the plain form gives, gradients included."""

from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.layers import PaddedConv2D, leaky_relu, processor
from attent_tf.layers.processor import convolve, convolve_same, reflect_pad


def _random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def _with_gradients(function, *inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = function(*inputs)
        loss = tf.reduce_sum(result * _random(*result.shape, seed=9))
    return result, *tape.gradient(loss, inputs)


def _assert_equal(found, expected, tolerance=1e-5):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=tolerance * float(tf.reduce_max(tf.abs(other))), rtol=0)


@pytest.mark.parametrize(("height", "width", "pixels"), [(3, 4, 1), (4, 5, 1), (6, 9, 2), (12, 16, 3)])
def test_reflection_is_that_of_tf_pad(height, width, pixels):
    x = _random(2, height, width, 3)
    edges = [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]]
    expected = _with_gradients(lambda image: tf.pad(image, edges, mode="REFLECT"), x)
    found = _with_gradients(lambda image: reflect_pad(image, pixels), x)
    np.testing.assert_array_equal(found[0], expected[0])
    _assert_equal(found, expected)


def test_small_images_and_those_of_unknown_size_are_reflected_too():
    x = _random(1, 4, 4, 1)
    unknown = tf.function(lambda image: reflect_pad(image, 2), input_signature=[tf.TensorSpec((None, None, None, 1))])
    np.testing.assert_array_equal(unknown(x), reflect_pad(x, 2))


@pytest.mark.parametrize("filters", [1, 2, 3, 4])
@pytest.mark.parametrize(("height", "width"), [(8, 12), (6, 7)])
def test_blocks_of_pixels_are_a_convolution(filters, height, width):
    x, kernel = _random(2, height + 6, width + 6, 3), _random(7, 7, 3, filters, seed=1)
    expected = _with_gradients(lambda a, b: tf.nn.conv2d(a, b, 1, "VALID"), x, kernel)
    _assert_equal(_with_gradients(convolve, x, kernel), expected)


def _zeros_around(x, kernel, dilation):
    pixels = dilation * (kernel.shape[0] - 1) // 2
    padded = tf.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]])
    return tf.nn.convolution(padded, kernel, padding="VALID", dilations=dilation)


@pytest.mark.parametrize("has_gradients", [True, False])
@pytest.mark.parametrize(("size", "dilation"), [(3, 1), (5, 1), (1, 1), (3, 2), (3, 9), (5, 4)])
@pytest.mark.parametrize("height", [6, 7])
def test_a_convolution_that_keeps_the_size_has_zeros_around_the_image(height, size, dilation, has_gradients):
    if has_gradients and dilation > 1:
        _need_dilated_gradients()
    x, kernel = _random(2, height, 8, 3), _random(size, size, 3, 4, seed=1)
    expected = _with_gradients(lambda a, b: _zeros_around(a, b, dilation), x, kernel)
    with mock.patch.object(processor, "_has_dilated_gradients", return_value=has_gradients):
        found = _with_gradients(lambda a, b: convolve_same(a, b, dilation), x, kernel)
    _assert_equal(found, expected)


def test_dilated_convolutions_move_no_pixels_where_they_have_gradients():
    conv = PaddedConv2D(4, 3, dilation=2)
    conv.build((None, 8, 8, 3))
    for has_gradients in (True, False):
        with mock.patch.object(processor, "_has_dilated_gradients", return_value=has_gradients):
            traced = tf.function(conv.call, input_signature=[tf.TensorSpec((2, 8, 8, 3))])
            assert any(op.type == "SpaceToBatchND" for op in _operations(traced)) != has_gradients
    np.testing.assert_allclose(conv(_random(2, 8, 8, 3)), traced(_random(2, 8, 8, 3)), atol=1e-5)


def test_whether_there_are_gradients_is_tried_in_the_type_that_is_computed_in():
    def without_16_bits(filter, out_backprop, **_):
        if tf.bfloat16 in (filter.dtype, out_backprop.dtype):
            raise tf.errors.InvalidArgumentError(None, None, "do not yet support dilation rates larger than 1")

    with mock.patch("tensorflow.raw_ops.Conv2DBackpropInput", side_effect=without_16_bits):
        assert not processor._has_dilated_gradients.__wrapped__(tf.bfloat16)
        assert processor._has_dilated_gradients.__wrapped__(tf.float32)


def _need_dilated_gradients():
    if not processor._has_dilated_gradients(tf.float32):
        pytest.skip("kernels whose taps lie apart have a gradient with oneDNN alone")


@pytest.mark.parametrize("padding", ["reflect", "zero"])
def test_a_convolution_of_any_batch_is_made_in_blocks(padding):
    conv = PaddedConv2D(1, 7, padding=padding)
    conv.build((None, 8, 8, 2))
    served = tf.function(conv.call, input_signature=[tf.TensorSpec((None, 8, 8, 2))])
    assert any(op.type == "Conv2D" and list(op.get_attr("strides")) == [1, 4, 4, 1] for op in _operations(served))
    x = _random(3, 8, 8, 2)
    np.testing.assert_allclose(served(x), conv(x), atol=1e-5)


def test_the_slope_of_a_leaky_relu_is_that_of_the_maximum_at_zero_too():
    x = tf.constant([-3.0, -1e-30, 0.0, 1e-30, 2.0])
    found = _with_gradients(leaky_relu, x)
    for one, other in zip(found, _with_gradients(lambda y: tf.maximum(y, 0.2 * y), x), strict=True):
        np.testing.assert_array_equal(one, other)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(leaky_relu(x) ** 2)
        slope = tape.gradient(y, x)
    np.testing.assert_allclose(outer.gradient(slope, x), [0.08, 0.08, 2, 2, 2], rtol=1e-6)


def test_a_gpu_is_given_the_plain_forms():
    conv = PaddedConv2D(1, 7, padding="reflect")
    conv.build((None, 8, 8, 2))
    with mock.patch("attent_tf.layers.processor.on_processor", return_value=False):
        plain = tf.function(conv.call, input_signature=[tf.TensorSpec((2, 8, 8, 2))])
        kinds = {op.type for op in _operations(plain)}
    assert "MirrorPad" in kinds
    assert "ConcatV2" not in kinds


def _operations(function):
    return function.get_concrete_function().graph.get_operations()
