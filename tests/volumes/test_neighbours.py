import numpy as np
import pytest

from attent_tf.volumes import PrepareOptions, middle_channel, prepare, stack_neighbours

IMAGES = np.arange(4 * 2 * 3, dtype=np.float32).reshape(4, 2, 3)


def test_channels_run_from_below_to_above_and_ends_are_repeated():
    stacked = stack_neighbours(IMAGES, None, 1)
    assert stacked.shape == (4, 2, 3, 3)
    for index, places in enumerate(((0, 0, 1), (0, 1, 2), (1, 2, 3), (2, 3, 3))):
        for channel, place in enumerate(places):
            np.testing.assert_array_equal(stacked[index, ..., channel], IMAGES[place])


@pytest.mark.parametrize("neighbours", [0, 1, 2, 5])
def test_one_slice_is_stacked_like_all(neighbours):
    stacked = stack_neighbours(IMAGES, None, neighbours)
    for index in range(4):
        np.testing.assert_array_equal(stack_neighbours(IMAGES, index, neighbours), stacked[index])
    np.testing.assert_array_equal(middle_channel(stacked), IMAGES)


def test_a_prepared_case_keeps_single_slices_and_says_how_many_neighbours_records_hold(tools):
    case = prepare(tools.patient("RAS"), PrepareOptions(size=32, pixel_mm=8.0, neighbours=2))
    assert case.images.shape == (14, 32, 32)
    assert (case.geometry.neighbours, case.geometry.channels) == (2, 5)
