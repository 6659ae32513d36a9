"""Slices scaled about their centre, and label maps brought back."""

import numpy as np
import pytest

from attent_tf.signs import scale_images, scale_labels_back


def test_half_the_size_takes_every_other_place_and_air_beyond():
    image = np.full((1, 4, 4, 1), -1, np.float32)
    image[0, 1:3, 1:3] = 1
    # Places of the columns: 1.5 + 2 · (−1.5, −0.5, 0.5, 1.5) = −1.5, 0.5, 2.5, 4.5.
    halved = scale_images(image, 0.5)[0, :, :, 0]
    expected = np.full((4, 4), -1.0)
    expected[1:3, 1:3] = -1 + 2 * 0.25
    assert halved == pytest.approx(expected)


def test_a_factor_of_one_changes_nothing():
    image = np.random.default_rng(0).uniform(-1, 1, (2, 5, 5, 3)).astype(np.float32)
    assert scale_images(image, 1.0) == pytest.approx(image, abs=1e-6)
    labels = (image[..., 0] > 0).astype(np.uint8)
    back, inside = scale_labels_back(labels, 1.0)
    assert (back == labels).all()
    assert inside.all()


def test_channels_stay_apart():
    image = np.stack([np.full((1, 8, 8), value, np.float32) for value in (-0.5, 0.5)], axis=-1)
    scaled = scale_images(image, 1.25)
    assert scaled[0, 4, 4] == pytest.approx([-0.5, 0.5])


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_labels_of_scaled_slices_come_back_to_their_place(factor):
    labels = np.zeros((1, 64, 64), np.uint8)
    labels[0, 10:40, 20:50] = 1
    image = labels[..., np.newaxis] * np.float32(2) - 1
    found = (scale_images(image, factor)[..., 0] > 0).astype(np.uint8)
    assert (found != labels).any()
    back, inside = scale_labels_back(found, factor)
    # A rim of one pixel may be off; a shift or the wrong factor would cost more.
    assert np.count_nonzero(back != labels) <= 30 * 4
    assert inside.all() == (factor < 1)


def test_what_an_enlarged_slice_does_not_show_is_outside():
    back, inside = scale_labels_back(np.full((1, 10, 10), 2, np.uint8), 2.0)
    assert np.flatnonzero(inside.any(axis=0)).tolist() == np.flatnonzero(inside.any(axis=1)).tolist() == [3, 4, 5, 6]
    assert inside.sum() == 16
    assert (back[0][inside] == 2).all()
    assert (back[0][~inside] == 0).all()
