"""Each loss against numbers worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from attent_tf import losses
from attent_tf.errors import ConfigError


def _logits(values):
    """One example of two patches in a row."""
    return tf.constant(values, tf.float32, shape=(1, 1, len(values), 1))


def test_least_squares_is_the_mean_squared_distance_from_the_label():
    logits = _logits([0.0, 3.0])
    assert losses.real_loss(logits, "least_squares").numpy() == pytest.approx([(1 + 4) / 2])
    assert losses.fake_loss(logits, "least_squares").numpy() == pytest.approx([(0 + 9) / 2])


def test_log_likelihood_is_the_negative_log_of_the_probability():
    # sigmoid(log 3) = 3/4
    logits = _logits([math.log(3.0)])
    assert losses.real_loss(logits, "log_likelihood").numpy() == pytest.approx([-math.log(0.75)])
    assert losses.fake_loss(logits, "log_likelihood").numpy() == pytest.approx([-math.log(0.25)])


def test_discriminator_loss_wants_real_ones_and_fake_zeros():
    perfect = losses.discriminator_loss(_logits([1.0]), _logits([0.0]), "least_squares")
    swapped = losses.discriminator_loss(_logits([0.0]), _logits([1.0]), "least_squares")
    assert perfect.numpy() == pytest.approx([0.0])
    assert swapped.numpy() == pytest.approx([2.0])


def test_losses_are_one_value_an_example():
    logits = tf.concat([_logits([1.0, 1.0]), _logits([0.0, 0.0])], axis=0)
    np.testing.assert_allclose(losses.real_loss(logits, "least_squares"), [0.0, 1.0])


def test_unknown_adversarial_loss_is_refused():
    kinds = "log_likelihood, least_squares, wasserstein"
    with pytest.raises(ConfigError, match=f"^adversarial loss: expected one of {kinds}, found 'hinge'$"):
        losses.real_loss(_logits([0.0]), "hinge")


@pytest.mark.parametrize(("kind", "threshold"), [("log_likelihood", 0.0), ("least_squares", 0.5)])
def test_accuracy_counts_right_judgements(kind, threshold):
    real = _logits([threshold + 0.1, threshold - 0.1])
    fake = _logits([threshold - 0.1, threshold - 0.2])
    assert losses.decision_accuracy(real, fake, kind).numpy() == pytest.approx([0.75])
    # On the threshold the judgement is `fake`.
    undecided = _logits([threshold])
    assert losses.decision_accuracy(undecided, undecided, kind).numpy() == pytest.approx([0.5])


def test_a_critic_pays_for_the_distance_that_it_does_not_see():
    genuine, imitated = _logits([5.0, 1.0]), _logits([2.0, 2.0])
    assert losses.real_loss(genuine, "wasserstein").numpy() == pytest.approx([-3.0])
    assert losses.fake_loss(imitated, "wasserstein").numpy() == pytest.approx([2.0])
    assert losses.discriminator_loss(genuine, imitated, "wasserstein").numpy() == pytest.approx([-1.0])
    # The first place is judged rightly, the second is not; equal logits judge nothing. No logit is on the wrong side of 0 or 1/2.
    assert losses.decision_accuracy(genuine, imitated, "wasserstein").numpy() == pytest.approx([0.5])
    genuine, imitated = _logits([9.0, 8.0, 7.0, 6.0]), _logits([3.0, 4.0, 5.0, 6.0])
    assert losses.decision_accuracy(genuine, imitated, "wasserstein").numpy() == pytest.approx([0.75])


def test_l1_loss_averages_over_pixels():
    image = tf.reshape(tf.constant([0.0, 1.0, -1.0, 0.5]), (1, 2, 2, 1))
    reference = tf.zeros((1, 2, 2, 1))
    assert losses.l1_loss(image, reference).numpy() == pytest.approx([2.5 / 4])
    assert losses.l1_loss(image, image).numpy() == pytest.approx([0.0])


def test_cross_entropy_of_known_probabilities():
    # Two pixels; the true class has probability 1/2 and 1/4.
    probabilities = np.array([[[[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]]], np.float32)
    labels = np.array([[[0, 2]]])
    expected = -(math.log(0.5) + math.log(0.25)) / 2
    assert losses.cross_entropy_loss(np.log(probabilities), labels).numpy() == pytest.approx([expected], rel=1e-5)


def test_cross_entropy_is_a_mean_over_the_pixels_that_weigh_something():
    # Three rows of a pixel in three examples; the true class has probability 1/2, 1/4 and 1/8.
    pixels = np.log([[[0.5, 0.25, 0.25]], [[0.5, 0.25, 0.25]], [[0.75, 0.125, 0.125]]]).astype(np.float32)
    logits, labels = np.stack([pixels] * 3), np.array([[[0], [1], [2]]] * 3)
    # Two pixels count in the first example, one in the second, none in the third.
    weights = tf.constant([[[1.0], [0.5], [0.0]], [[0.0], [0.0], [0.25]], [[0.0], [0.0], [0.0]]])
    expected = [(math.log(2) + 0.5 * math.log(4)) / 2, 0.25 * math.log(8), 0.0]
    np.testing.assert_allclose(losses.cross_entropy_loss(logits, labels, weights), expected, rtol=1e-5)
    # The same pixels along a row.
    row = [np.swapaxes(array, 1, 2) for array in (logits, labels, weights.numpy())]
    np.testing.assert_allclose(losses.cross_entropy_loss(*row), expected, rtol=1e-5)


def test_dice_loss_of_known_probabilities():
    # One organ, true in two of four pixels, predicted 0.8, 0.6, 0.2, 0.0: Dice = 2·1.4 / (1.6 + 2).
    organ = np.array([0.8, 0.6, 0.2, 1e-9])
    logits = np.log(np.stack([1 - organ, organ], axis=-1)).astype(np.float32).reshape(1, 2, 2, 2)
    labels = np.array([[[1, 1], [0, 0]]])
    assert losses.dice_loss(tf.constant(logits), labels).numpy() == pytest.approx([1 - 2.8 / 3.6], rel=1e-4)


def test_dice_loss_sums_over_the_pixels_that_are_kept():
    # As above, without the second pixel, in which the organ is: Dice = 2·0.8 / (1.0 + 1).
    organ = np.array([0.8, 0.6, 0.2, 1e-9])
    logits = np.log(np.stack([1 - organ, organ], axis=-1)).astype(np.float32).reshape(1, 2, 2, 2)
    labels, kept = np.array([[[1, 1], [0, 0]]]), np.array([[[True, False], [True, True]]])
    assert losses.dice_loss(tf.constant(logits), labels, kept).numpy() == pytest.approx([1 - 1.6 / 2.0], rel=1e-4)


def test_dice_loss_is_a_mean_over_the_organs_of_each_slice():
    # Each slice has two pixels. The first shows both organs, predicted 1/2 and 1/4: Dice = 2·1/2 / (3/4 + 1) and
    # 2·1/4 / (1/2 + 1). The second shows the first organ alone, in one pixel: Dice = 2·1/2 / (3/4 + 1).
    first = [[0.25, 0.5, 0.25], [0.5, 0.25, 0.25]]
    logits = np.log([[first], [first]]).astype(np.float32)
    labels = np.array([[[1, 2]], [[1, 0]]])
    expected = [((1 - 1 / 1.75) + (1 - 0.5 / 1.5)) / 2, 1 - 1 / 1.75]
    np.testing.assert_allclose(losses.dice_loss(logits, labels), expected, rtol=1e-5)


def test_dice_loss_leaves_absent_organs_to_the_cross_entropy():
    logits = tf.random.stateless_normal((2, 4, 4, 5), (1, 2))
    labels = np.zeros((2, 4, 4), np.uint8)
    np.testing.assert_array_equal(losses.dice_loss(logits, labels), [0.0, 0.0])


def test_entropy_of_a_uniform_prediction_is_one():
    np.testing.assert_allclose(losses.entropy_map(tf.zeros((1, 2, 2, 5))), np.ones((1, 2, 2, 1)), rtol=1e-6)


def test_entropy_of_a_one_hot_prediction_is_zero():
    logits = 1000.0 * tf.one_hot([[[1, 3]]], 5)
    np.testing.assert_array_equal(losses.entropy_map(logits), np.zeros((1, 1, 2, 1)))


def test_entropy_of_two_equal_classes_of_four():
    logits = tf.math.log(tf.constant([[[[0.5, 0.5, 1e-30, 1e-30]]]]))
    assert losses.entropy_map(logits).numpy().item() == pytest.approx(math.log(2) / math.log(4), rel=1e-5)


def test_self_information_keeps_the_classes_apart():
    logits = tf.math.log(tf.constant([[[[0.5, 0.25, 0.25]]]]))
    expected = [0.5 * math.log(2) / math.log(3), 0.25 * math.log(4) / math.log(3), 0.25 * math.log(4) / math.log(3)]
    np.testing.assert_allclose(losses.self_information_map(logits)[0, 0, 0], expected, rtol=1e-5)


@settings(max_examples=50, deadline=None)
@given(arrays.arrays(np.float32, (1, 2, 3, 5), elements=st.floats(-80, 80, width=32)))
def test_entropy_lies_between_zero_and_one(logits):
    entropy = losses.entropy_map(tf.constant(logits)).numpy()
    assert np.all(entropy >= 0)
    assert np.all(entropy <= 1 + 1e-5)


def test_entropy_is_computed_in_float32_for_half_precision_logits():
    logits = tf.cast([[[[0.0, -12.0]]]], tf.float16)
    p = 1 / (1 + math.exp(12))
    expected = -(p * math.log(p) + (1 - p) * math.log1p(-p)) / math.log(2)
    assert losses.entropy_map(logits).dtype == tf.float32
    assert losses.entropy_map(logits).numpy().item() == pytest.approx(expected, rel=1e-3)


# Two pixels of three classes: probabilities 1/2, 1/4, 1/4 and 1/8, 1/8, 3/4; the classes are 0 and 2.
_TWO_PIXELS = np.log([[[[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]]]).astype(np.float32)
_TWO_CLASSES = np.array([[[0, 2]]])


def test_weighted_cross_entropy_counts_each_pixel_by_its_class():
    loss = losses.weighted_cross_entropy_loss(_TWO_PIXELS, _TWO_CLASSES, tf.constant([2.0, 5.0, 10.0]))
    assert loss.numpy() == pytest.approx([(2 * math.log(2) - 10 * math.log(0.75)) / 2], rel=1e-5)
    ones = losses.weighted_cross_entropy_loss(_TWO_PIXELS, _TWO_CLASSES, tf.ones(3))
    assert ones.numpy() == pytest.approx(losses.cross_entropy_loss(_TWO_PIXELS, _TWO_CLASSES).numpy(), rel=1e-5)


def test_pixels_below_the_least_probability_have_no_slope():
    logits = tf.constant([[[[0.0, 10.0], [0.0, 0.0]]]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = losses.weighted_cross_entropy_loss(logits, np.array([[[0, 0]]]), tf.ones(2), least_probability=0.005)
    assert loss.numpy() == pytest.approx([(-math.log(0.005) + math.log(2)) / 2])
    slope = tape.gradient(loss, logits).numpy()[0, 0]
    np.testing.assert_array_equal(slope[0], 0)
    np.testing.assert_allclose(slope[1], [-0.25, 0.25])


def test_balancing_weights_are_what_the_class_leaves_to_others():
    counts = losses.class_counts(np.array([[[0, 0, 0], [1, 0, 0]], [[2, 2, 2], [2, 2, 2]]]), 3)
    np.testing.assert_array_equal(counts, [[5, 1, 0], [0, 0, 6]])
    np.testing.assert_allclose(losses.balancing_weights(counts), [[1 / 6, 5 / 6, 1], [1, 1, 0]], rtol=1e-6)
    # Several axes before the classes, as many as there may be.
    np.testing.assert_allclose(
        losses.balancing_weights([[[1, 3]], [[2, 2]]]), [[[0.75, 0.25]], [[0.5, 0.5]]], rtol=1e-6
    )


def test_squared_dice_is_the_mean_over_all_classes_shown_or_not():
    # Class 0: 2 · 1/2 / (1/4 + 1/64 + 1); class 1: 0; class 2: 2 · 3/4 / (1/16 + 9/16 + 1).
    dice = (1 / (1 / 4 + 1 / 64 + 1) + 0 + 1.5 / (10 / 16 + 1)) / 3
    assert losses.squared_dice_loss(_TWO_PIXELS, _TWO_CLASSES).numpy() == pytest.approx([1 - dice], rel=1e-5)
    # One value an example: of two, the second has its labels exchanged.
    both = np.concatenate([_TWO_PIXELS, _TWO_PIXELS]), np.concatenate([_TWO_CLASSES, _TWO_CLASSES[..., ::-1]])
    exchanged = (2 * (1 / 8) / (1 / 4 + 1 / 64 + 1) + 0 + 2 * (1 / 4) / (10 / 16 + 1)) / 3
    np.testing.assert_allclose(losses.squared_dice_loss(*both), [1 - dice, 1 - exchanged], rtol=1e-5)


def test_squared_dice_of_a_class_that_is_neither_shown_nor_predicted_is_zero():
    logits = tf.constant([[[[0.0, -1e4]]]])
    assert losses.squared_dice_loss(logits, np.array([[[0]]])).numpy() == pytest.approx([0.5])
