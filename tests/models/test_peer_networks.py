"""The networks of CyCADA and PnP-AdaNet at full size, against numbers worked out from their description.

A convolution before a batch norm has no bias; a batch norm has four numbers a channel, two of them statistics.
"""

import pytest
import tensorflow as tf

from attent_tf.export.folding import fold_batch_norms
from attent_tf.models import FeatureCritic, MaskCritic, PixelDiscriminator, PnpSegmentor
from attent_tf.training.steps.plug_and_play import critic_maps


def test_pixel_discriminator_is_three_1x1_convolutions():
    model = PixelDiscriminator()
    assert model(tf.zeros((2, 6, 4, 5))).shape == (2, 6, 4, 1)
    assert model.count_params() == (5 * 512 + 512) + (512 * 256 + 256) + (256 * 2 + 2)


def test_pixel_discriminator_is_as_sure_as_a_softmax_of_two_classes():
    model = PixelDiscriminator(4)
    x = tf.random.stateless_normal((1, 2, 2, 5), (0, 1))
    logit = model(x)
    shown = tf.nn.relu(model.convs[1](tf.nn.relu(model.convs[0](x))))
    tf.debugging.assert_near(tf.sigmoid(logit), tf.nn.softmax(model.head(shown))[..., :1])


def _parameters(channels, convolutions, linear):
    """Of (kernel, output channels) in order, each with a batch norm, and of a linear layer without bias."""
    total = linear
    for kernel, width in convolutions:
        total += kernel**2 * channels * width + 4 * width
        channels = width
    return total


@pytest.mark.slow
def test_feature_critic():
    model = FeatureCritic()
    assert model(tf.zeros((1, 256, 256, 32))).shape == (1, 1, 1, 1)
    convolutions = []
    for width, kernel in ((64, 3), (128, 5), (256, 3), (512, 3), (512, 5)):
        convolutions += [(3, width), (3, width), (kernel, width)]
    # Strides 2, 2, 2, 2, 4 and 2 leave 2 × 2 positions of 256 × 256.
    assert model.count_params() == _parameters(32, [*convolutions, (3, 512)], 2 * 2 * 512)


@pytest.mark.slow
def test_mask_critic():
    model = MaskCritic()
    assert model(tf.zeros((1, 256, 256, 5))).shape == (1, 1, 1, 1)
    convolutions = [(3, 16), (3, 16), (3, 16), (5, 32), (3, 64), (3, 64), (5, 128), (5, 256)]
    # Strides 2, 4, 4 and 4.
    assert model.count_params() == _parameters(5, convolutions, 2 * 2 * 256)


@pytest.mark.slow
def test_pnp_segmentor():
    model = PnpSegmentor(5)
    # Three neighbouring slices.
    image = tf.zeros((1, 256, 256, 3))
    assert model(image).taps == ()
    output = model.segment_with_taps(image)
    assert output.main.shape == (1, 256, 256, 5)
    assert [tap.shape[1:] for tap in output.taps] == [(32, 32, width) for width in (128, 128, 128, 256, 512, 512)]
    # Pixels rearranged to full size: 2 channels thrice, 4, 8, 8; logits; the predicted class.
    assert critic_maps(output)[0].shape == (1, 256, 256, 32)
    blocks = [16, 32, 64, 64, 128, 128, *[256] * 4, *[512] * 4]
    convolutions = [(3, 16), *[(3, width) for width in blocks for _ in range(2)], (3, 512), (3, 512)]
    # Neither group 10 nor the head has a bias or a norm: 3 × 3 to 64 · 8 · 5 channels, 5 × 5 from 8 · 5 to 5.
    assert model.count_params() == _parameters(3, convolutions, 9 * 512 * 2560 + 25 * 40 * 5)
    groups_1_to_6 = convolutions[: 1 + 2 * 10]
    upper = sum(layer.count_params() for layer in model.upper_layers)
    assert model.count_params() - upper == _parameters(3, groups_1_to_6, 0)


@pytest.mark.slow
def test_batch_norms_of_the_pnp_segmentor_stay_what_they_are():
    model = PnpSegmentor(5, 1)
    x = tf.random.stateless_normal((1, 16, 16, 1), (0, 1))
    before = model(x).main
    assert fold_batch_norms(model) == 0
    tf.debugging.assert_equal(model(x).main, before)
