"""The configurations `paper` and `released` at full size, layer by layer, against numbers worked out from their description.

Generators: 7×7 convolution to 64, two 3×3 with stride 2 to 128 and 256, nine residual blocks of two 3×3, bilinear up-sampling and
1×1 convolutions to 128 and 64, three gates, a 7×7 head. A normalised convolution has no bias; instance norm has no parameters.
"""

import pytest
import tensorflow as tf

from attent_tf.configs import load_config
from attent_tf.models import MapDiscriminator, PatchDiscriminator
from attent_tf.runs.configured import gated_generator, segmentor

pytestmark = pytest.mark.slow


# layer -> (parameters, edge of its output for an image of 256 × 256, channels of its output)
GENERATOR = {
    "encode_full": (7 * 7 * 1 * 64, 256, 64),
    "encode_half": (3 * 3 * 64 * 128, 128, 128),
    "encode_quarter": (3 * 3 * 128 * 256, 64, 256),
    **{f"block_{i}": (2 * 3 * 3 * 256 * 256, 64, 256) for i in range(9)},
    # Two projections to half the width with a bias each, and theta; the output is the gated feature.
    "gate_quarter": (2 * (256 * 128 + 128) + 128 + 1, 64, 256),
    # What is up-sampled is the gated feature beside the decoder's own.
    "decode_half": (1 * 1 * (256 + 256) * 128, 128, 128),
    "gate_half": (2 * (128 * 64 + 64) + 64 + 1, 128, 128),
    "decode_full": (1 * 1 * (128 + 128) * 64, 256, 64),
    "gate_full": (2 * (64 * 32 + 32) + 32 + 1, 256, 64),
    "head": (7 * 7 * (64 + 64) * 1 + 1, 256, 1),
}


def _image_discriminator(config):
    return PatchDiscriminator(config.translation.discriminator_filters, config.translation.normalization)


def _entropy_discriminator(config):
    return MapDiscriminator(config.segmentation.discriminator_filters)


def test_both_configurations_make_networks_of_the_same_size():
    made = [
        [
            network.get_config()
            for network in (
                gated_generator(config, 5, 1, "ct_to_mri"),
                segmentor(config, 5, 1, "segmentor"),
                _image_discriminator(config),
                _entropy_discriminator(config),
            )
        ]
        for config in map(load_config, ("paper", "released"))
    ]
    for networks in made:
        for network in networks:
            # What a gate is multiplied by changes no shape.
            network.pop("gate_gain", None)
            network.pop("name")
    assert made[0] == made[1]


def test_generator(monkeypatch):
    generator = gated_generator(load_config("paper"), 5, 1, "ct_to_mri")
    decoder = generator.decoder
    layers = {
        layer.name: layer
        for layer in (
            *generator.encoder.convs,
            *generator.body.blocks,
            *decoder.convs,
            *decoder.gates,
            decoder.head,
        )
    }
    shapes = {}
    for layer_name, layer in layers.items():
        call = layer.call

        def watched(*inputs, layer_name=layer_name, call=call, **options):
            output = call(*inputs, **options)
            # A gate gives its map beside the feature.
            feature = output[0] if isinstance(output, tuple) else output
            shapes[layer_name] = tuple(feature.shape)
            return output

        monkeypatch.setattr(layer, "call", watched)
    generator(tf.zeros((1, 256, 256, 1)))
    found = {key: (layer.count_params(), shapes[key][1], shapes[key][3]) for key, layer in layers.items()}
    assert found == GENERATOR
    assert generator.count_params() == sum(parameters for parameters, _, _ in GENERATOR.values())


def test_image_discriminator():
    discriminator = _image_discriminator(load_config("paper"))
    # 256 → 128 → 64 → 32, then two convolutions of 4 × 4 with stride 1 and padding 1 take a pixel each.
    assert discriminator(tf.zeros((1, 256, 256, 1))).shape == (1, 30, 30, 1)
    # Receptive field: each layer adds (kernel − 1) × the strides before it.
    field, step = 1, 1
    for stride in (2, 2, 2, 1, 1):
        field, step = field + 3 * step, step * stride
    assert field == 70


def test_segmentor():
    network = segmentor(load_config("paper"), 5, 1, "segmentor")
    image = tf.zeros((1, 256, 256, 1))
    output = network(image)
    assert output.main.shape == output.aux.shape == (1, 256, 256, 5)
    stages = network.resnet.stages(image)
    # Output stride 8: the last two stages are dilated and keep 32 × 32.
    assert [tuple(stage.shape[1:]) for stage in stages] == [
        (64, 64, 256),
        (32, 32, 512),
        (32, 32, 1024),
        (32, 32, 2048),
    ]
    # As keras.applications.ResNet101 without its top.
    assert network.resnet.count_params() == 42_658_176
    # Four 3×3 convolutions with a bias on stage 4 for the main head, on stage 3 for the auxiliary one.
    assert network.main_head.count_params() == 4 * (3 * 3 * 2048 * 5 + 5)
    assert network.aux_head.count_params() == 4 * (3 * 3 * 1024 * 5 + 5)
    assert [branch.dilation for branch in network.main_head.branches] == [6, 12, 18, 24]


def test_entropy_discriminator():
    discriminator = _entropy_discriminator(load_config("paper"))
    assert discriminator(tf.zeros((1, 256, 256, 1))).shape == (1, 8, 8, 1)
    widths = ((1, 64), (64, 128), (128, 256), (256, 512), (512, 1))
    assert discriminator.count_params() == sum(4 * 4 * a * b + b for a, b in widths)
