"""The pool of earlier translations."""

import numpy as np
import tensorflow as tf

from attent_tf.training.image_pool import ImagePool


def _image(value):
    return tf.fill((1, 2, 2, 1), float(value))


def _seed(i):
    return tf.constant([7, i], tf.int64)


def test_a_pool_of_nothing_passes_images_through():
    image = _image(3)
    np.testing.assert_array_equal(ImagePool(0, (2, 2, 1)).exchange(image, _seed(0)), image)


def test_images_pass_through_while_the_pool_fills():
    pool = ImagePool(3, (2, 2, 1))
    for i in range(3):
        np.testing.assert_array_equal(pool.exchange(_image(i), _seed(i)), _image(i))


def test_a_full_pool_shows_about_half_earlier_images_and_loses_none():
    pool = ImagePool(4, (2, 2, 1))
    exchange = tf.function(pool.exchange, autograph=False)
    shown = [float(exchange(_image(i), _seed(i))[0, 0, 0, 0]) for i in range(200)]
    earlier = sum(value != i for i, value in enumerate(shown))
    assert 70 < earlier < 130
    kept = [float(image[0, 0, 0]) for image in pool._images.numpy()]
    # The first four were shown as they filled the pool, so what is in the pool may have been shown before; nothing vanishes.
    assert set(shown) | set(kept) == {float(i) for i in range(200)}


def test_the_choice_follows_from_the_seed():
    def run():
        pool = ImagePool(2, (2, 2, 1))
        return [float(pool.exchange(_image(i), _seed(i))[0, 0, 0, 0]) for i in range(30)]

    assert run() == run()
