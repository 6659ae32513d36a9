"""The building blocks against hand-made numbers."""

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.errors import ConfigError
from attent_tf.layers import (
    AttentionGate,
    ConvUnit,
    GrowingResidualBlock,
    InstanceNormalization,
    PaddedConv2D,
    ResidualBlock,
    make_normalization,
)


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("batch", [1, 3])
def test_instance_norm_is_numpys(batch):
    x = 5 + 3 * _random(batch, 6, 7, 4)
    expected = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(InstanceNormalization()(x), expected, atol=2e-5)


def test_instance_norm_has_the_same_gradient_in_a_batch_and_alone():
    x = _random(1, 5, 5, 3)
    weights = _random(2, 5, 5, 3, seed=1)
    norm = InstanceNormalization()

    def gradient(images, count):
        images = tf.constant(images)
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(norm(images) * weights[:count])
        return tape.gradient(loss, images)[:1]

    np.testing.assert_allclose(gradient(x, 1), gradient(np.concatenate([x, x]), 2), atol=1e-4)


def test_affine_instance_norm_scales_and_shifts():
    norm = InstanceNormalization(affine=True)
    x = _random(2, 4, 4, 2)
    plain = InstanceNormalization()(x)
    norm.build(x.shape)
    norm.scale.assign([2.0, 3.0])
    norm.shift.assign([1.0, -1.0])
    np.testing.assert_allclose(norm(x), plain * [2.0, 3.0] + [1.0, -1.0], atol=1e-5)


def test_unknown_normalization_is_refused():
    with pytest.raises(ConfigError, match="batch"):
        make_normalization("batch")


def test_padded_conv_at_stride_two_pads_both_sides_alike():
    conv = PaddedConv2D(1, 3, strides=2, kernel_initializer="ones", use_bias=False)
    x = np.ones((1, 4, 4, 1), np.float32)
    # The window at the corner sees 2×2 pixels of the image, the next ones 2×3 and 3×3.
    np.testing.assert_array_equal(conv(x)[0, :, :, 0], [[4, 6], [6, 9]])


# The last has many rows for each thread, as a batch of slices has.
@pytest.mark.parametrize(("channels", "rows"), [(3, 5), (4, 8), (20, 8), (4, 64)])
def test_a_strided_kernel_of_one_pixel_sees_every_nth_pixel(channels, rows):
    x, upstream = _random(4, rows, 6, channels), _random(4, -(-rows // 2), 3, 8, seed=1)
    conv = PaddedConv2D(8, 1, strides=2, use_bias=False)
    images = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(images)
        y = conv(images)
        loss = tf.reduce_sum(y * upstream)
    by_image, by_kernel = tape.gradient(loss, [images, conv.kernel])

    kernel, seen = conv.kernel.numpy()[0, 0], x[:, ::2, ::2]
    np.testing.assert_allclose(y, seen @ kernel, atol=1e-5)
    np.testing.assert_allclose(by_kernel[0, 0], np.einsum("nhwi,nhwo->io", seen, upstream), rtol=1e-4, atol=1e-4)
    expected = np.zeros_like(x)
    expected[:, ::2, ::2] = upstream @ kernel.T
    np.testing.assert_allclose(by_image, expected, atol=1e-5)


def test_reflected_padding_mirrors_without_repeating_the_border():
    conv = PaddedConv2D(1, 3, padding="reflect", kernel_initializer="ones", use_bias=False)
    x = np.arange(3, dtype=np.float32).reshape(1, 1, 3, 1) * np.ones((1, 3, 1, 1), np.float32)
    # Columns 1 0 1 2 1, three rows alike: sums of three neighbours times three.
    np.testing.assert_array_equal(conv(x)[0, 1, :, 0], [6, 9, 12])


def test_dilated_conv_reaches_its_taps_and_has_a_gradient():
    conv = PaddedConv2D(1, 3, dilation=2, kernel_initializer="ones", use_bias=False)
    x = np.zeros((1, 9, 9, 1), np.float32)
    x[0, 4, 4, 0] = 1
    hit = np.argwhere(conv(x)[0, :, :, 0].numpy())
    assert sorted({tuple(h) for h in hit}) == [(r, c) for r in (2, 4, 6) for c in (2, 4, 6)]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(conv(x) ** 2)
    assert tape.gradient(loss, conv.kernel).numpy().sum() == pytest.approx(18)


def test_attention_gate_is_equation_1():
    gate = AttentionGate(2)
    f, g = _random(1, 3, 3, 4), _random(1, 3, 3, 5, seed=1)
    result = gate(f, g).numpy()
    wf, bf = (w.numpy() for w in gate.project_f.weights)
    wg, bg = (w.numpy() for w in gate.project_g.weights)
    wt, bt = (w.numpy() for w in gate.theta.weights)
    hidden = np.maximum(f @ wf[0, 0] + bf + g @ wg[0, 0] + bg, 0)
    expected = f / (1 + np.exp(-(hidden @ wt[0, 0] + bt)))
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_gates_lie_between_zero_and_one_and_gain_scales_them():
    f, g = 10 * _random(2, 4, 4, 3), 10 * _random(2, 4, 4, 3, seed=1)
    gate = AttentionGate(4, gain=2.0)
    doubled = gate(f, g)
    values = gate.gate(f, g).numpy()
    assert values.shape == (2, 4, 4, 1)
    assert np.all((values >= 0) & (values <= 1))
    np.testing.assert_allclose(doubled, 2 * f * values, rtol=1e-5)


def test_residual_block_adds_to_its_input():
    block = ResidualBlock(3)
    x = _random(1, 8, 8, 3)
    difference = block(x).numpy() - x
    # What is added leaves an instance norm.
    np.testing.assert_allclose(difference.mean((1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(difference.std((1, 2)), 1, atol=1e-2)


def test_a_growing_block_without_weights_passes_its_input_on_beside_zeros():
    block = GrowingResidualBlock(5)
    x = tf.constant(np.random.default_rng(0).uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32))
    block(x)
    for unit in (block.first, block.second):
        unit.conv.kernel.assign(tf.zeros_like(unit.conv.kernel))
    y = block(x).numpy()
    np.testing.assert_allclose(y[..., :3], np.where(x > 0, x, 0.2 * x), rtol=1e-6)
    np.testing.assert_array_equal(y[..., 3:], 0)


def test_a_conv_unit_drops_values_in_training_alone():
    unit = ConvUnit(8, activation="linear", dropout=0.5)
    x = tf.ones((1, 8, 8, 1))
    unit(x)
    np.testing.assert_array_equal(unit(x), unit(x))
    assert np.any(unit(x, training=True).numpy() != unit(x, training=True).numpy())
