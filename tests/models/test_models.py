"""Shapes, ranges, sizes and receptive fields of the networks."""

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.layers import AttentionGate
from attent_tf.models import (
    DeepLabV2,
    DilatedResNet,
    Generator,
    GeneratorEncoder,
    MapDiscriminator,
    PatchDiscriminator,
    PnpSegmentor,
    SifaEncoder,
    SifaSegmentor,
)
from attent_tf.models.pnp_segmentor import PnpEncoder


def _random(shape, seed=0):
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32))


@pytest.mark.parametrize("skips", ["attention", "none"])
def test_generator_keeps_shape_and_range(skips):
    y = Generator(4, 1, skips=skips)(_random((2, 64, 48, 1)))
    assert y.shape == (2, 64, 48, 1)
    assert np.abs(y).max() <= 1


def test_generator_shows_three_gates_in_the_unit_interval():
    _, gates = Generator(4, 1).translate_with_gates(_random((1, 64, 64, 1)))
    assert [tuple(gate.shape) for gate in gates] == [(1, 16, 16, 1), (1, 32, 32, 1), (1, 64, 64, 1)]
    assert all(np.all((gate >= 0) & (gate <= 1)) for gate in gates)


@pytest.mark.parametrize("method", ["__call__", "translate_with_gates"])
def test_generator_computes_each_gate_once(method, monkeypatch):
    asked = []
    gate = AttentionGate.gate
    monkeypatch.setattr(AttentionGate, "gate", lambda self, f, g: asked.append(self.name) or gate(self, f, g))
    generator = Generator(4, 1)
    generator(_random((1, 16, 16, 1)))
    asked.clear()
    getattr(generator, method)(_random((1, 16, 16, 1)))
    assert asked == ["gate_quarter", "gate_half", "gate_full"]


def test_generator_refuses_unknown_skips():
    with pytest.raises(ValueError, match="dense"):
        Generator(4, 1, skips="dense")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "encoder"),
    [
        (lambda encoder: Generator(2, 1, encoder=encoder), GeneratorEncoder(2, name="encoder")),
        (lambda encoder: DeepLabV2(5, encoder, (1,)), DilatedResNet("small", name="encoder")),
        (lambda encoder: SifaSegmentor(5, encoder=encoder), SifaEncoder(2, 4, name="encoder")),
    ],
    ids=["generator", "deeplab", "sifa_segmentor"],
)
def test_networks_that_are_given_one_encoder_train_it_together(make, encoder):
    one, other, image = make(encoder), make(encoder), _random((1, 32, 32, 1))
    for network in (one, other):
        network(image)
    shared = {id(variable) for variable in encoder.variables}
    ids = [{id(variable) for variable in network.variables} for network in (one, other)]
    assert shared
    assert ids[0] & ids[1] == shared
    with tf.GradientTape() as tape:
        total = tf.add_n([tf.reduce_sum(y) for y in tf.nest.flatten(other(image)) if y.dtype.is_floating])
    gradients = tape.gradient(total, [variable.value for variable in encoder.trainable_variables])
    assert any(np.any(gradient) for gradient in gradients if gradient is not None)
    # A copy from its configuration has the shapes, and nothing in common with them.
    copy = type(one).from_config(one.get_config())
    copy(image)
    assert [v.shape for v in copy.variables] == [v.shape for v in one.variables]
    assert not {id(variable) for variable in copy.variables} & ids[0]


@pytest.mark.slow
def test_pnp_segmentors_that_are_given_one_encoder_have_its_layers_and_names_of_their_own_above():
    encoder = PnpEncoder(2, 0.0)
    first, second = (PnpSegmentor(3, encoder=encoder, name=name) for name in ("first", "second"))
    image = _random((1, 32, 32, 1))
    for network in (first, second):
        network(image)
    alone = PnpSegmentor(3, 2, 0.0, name="first")
    alone(image)
    # As in a network of one piece: packages and first values go by these names.
    assert [variable.path for variable in first.variables] == [variable.path for variable in alone.variables]
    shared = {id(variable) for variable in first.variables} & {id(variable) for variable in second.variables}
    lower = {variable.path for variable in first.variables if id(variable) in shared}
    upper = {variable.path for layer in first.upper_layers for variable in layer.variables}
    assert lower
    assert lower | upper == {variable.path for variable in first.variables}
    assert not lower & upper
    copy = PnpSegmentor.from_config(first.get_config())
    copy(image)
    assert [variable.shape for variable in copy.variables] == [variable.shape for variable in first.variables]
    assert not {id(variable) for variable in copy.variables} & {id(variable) for variable in first.variables}


def test_generator_refuses_an_encoder_of_another_width():
    with pytest.raises(ValueError, match="4 filters"):
        Generator(4, 1, encoder=GeneratorEncoder(2))


def test_patch_discriminator_sees_seventy_pixels():
    model = PatchDiscriminator(4, normalization="none")
    x = _random((1, 128, 128, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x)
        middle = y[0, y.shape[1] // 2, y.shape[2] // 2, 0]
    seen = np.argwhere(tape.gradient(middle, x)[0, :, :, 0].numpy())
    assert y.shape == (1, 14, 14, 1)
    np.testing.assert_array_equal(np.ptp(seen, axis=0) + 1, [70, 70])


def test_patch_discriminator_at_full_size_has_cyclegans_parameters():
    model = PatchDiscriminator(64)
    model(tf.zeros((1, 64, 64, 1)))
    # 4×4 kernels and biases: 1→64, 64→128, 128→256, 256→512, 512→1.
    expected = sum(16 * a * b + b for a, b in ((1, 64), (64, 128), (128, 256), (256, 512), (512, 1)))
    assert model.count_params() == expected


def test_map_discriminator_halves_five_times():
    assert MapDiscriminator(4)(tf.zeros((2, 256, 256, 1))).shape == (2, 8, 8, 1)


def test_small_segmentor_answers_at_the_images_resolution():
    output = DeepLabV2(5, "small", rates=(1, 2))(_random((2, 64, 64, 1)))
    assert output.main.shape == output.aux.shape == (2, 64, 64, 5)
    assert output.features.shape[1:3] == (16, 16)


@pytest.mark.slow
def test_resnet50_has_output_stride_eight_and_keras_layer_count():
    model = DeepLabV2(5, "resnet50")
    output = model(tf.zeros((1, 64, 64, 3)))
    assert output.features.shape == (1, 8, 8, 2048)
    # As keras.applications.ResNet50 without its top.
    assert model.resnet.count_params() == 23_587_712


def test_segmentor_refuses_an_unknown_backbone():
    with pytest.raises(ValueError, match="vgg"):
        DeepLabV2(5, "vgg")
