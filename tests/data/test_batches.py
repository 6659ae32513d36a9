"""Slices in memory, batches by position, and augmentation."""

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import DataConfig
from attent_tf.data import slices as slices_module
from attent_tf.data.augmentation import random_resized_crop
from attent_tf.data.batches import Share, batches, held
from attent_tf.data.slices import SliceArrays, allocate, average_down, majority_down
from attent_tf.errors import ConfigError
from tests.support.abdomen import NUM_CLASSES

_STILL = DataConfig(zoom_min=1.0, zoom_max=1.0, shift=0.0)


def _numbered(count, size=8):
    numbers = np.arange(count, dtype=np.uint8)
    images = np.broadcast_to((numbers / 128.0)[:, None, None, None], (count, size, size, 1)).astype(np.float32)
    return SliceArrays(images, np.broadcast_to(numbers[:, None, None], (count, size, size)).copy())


def _order(dataset, steps):
    return [batch[1].numpy()[:, 0, 0].tolist() for batch in dataset.take(steps)]


def test_every_slice_comes_once_before_any_comes_again():
    order = [
        number
        for batch in _order(batches(_numbered(12), _STILL, 4, seed=1, num_classes=NUM_CLASSES), 6)
        for number in batch
    ]
    assert sorted(order[:12]) == sorted(order[12:]) == list(range(12))
    assert order[:12] != order[12:]


@pytest.mark.slow
def test_a_sequence_that_begins_later_is_the_rest_of_the_same_sequence():
    slices, config = _numbered(7), DataConfig()
    whole = list(batches(slices, config, 3, seed=5, num_classes=NUM_CLASSES).take(6))
    rest = list(batches(slices, config, 3, seed=5, num_classes=NUM_CLASSES, first=4).take(2))
    for a, b in zip(whole[4:], rest, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_seeds_give_other_orders():
    assert _order(batches(_numbered(12), _STILL, 12, seed=1, num_classes=NUM_CLASSES), 1) != _order(
        batches(_numbered(12), _STILL, 12, seed=2, num_classes=NUM_CLASSES), 1
    )


def test_nothing_tunes_the_pipeline():
    """Whoever lets an iterator go would wait until the thread that tunes it wakes, up to a minute."""
    made = batches(_numbered(3), _STILL, 2, seed=0, num_classes=NUM_CLASSES)
    assert tf.data.Dataset.zip((made, made)).options().autotune.enabled is False


def test_held_slices_are_tensors_but_what_is_mapped_from_a_file_stays_there(tmp_path):
    slices = _numbered(3)
    mapped = np.memmap(tmp_path / "images", np.float32, "w+", shape=slices.images.shape)
    found = held(SliceArrays(mapped, slices.labels))
    assert found.images is mapped
    assert tf.is_tensor(found.labels)
    np.testing.assert_array_equal(found.labels, slices.labels)
    assert held(SliceArrays(slices.images, None)).labels is None


def test_without_labels_batches_are_images_alone():
    batch = next(iter(batches(SliceArrays(_numbered(3).images, None), _STILL, 2, seed=0, num_classes=NUM_CLASSES)))
    assert batch.shape == (2, 8, 8, 1)


def test_slices_that_do_not_fit_in_memory_come_from_a_file_in_the_same_order(monkeypatch):
    held = _numbered(7)
    monkeypatch.setattr(slices_module, "_free_bytes", lambda: 0)
    images = allocate(held.images.shape, np.float32)
    labels = allocate(held.labels.shape, np.uint8)
    assert isinstance(images, np.memmap)
    images[:], labels[:] = held.images, held.labels
    mapped = batches(SliceArrays(images, labels), DataConfig(), 3, seed=5, num_classes=NUM_CLASSES)
    assert mapped.element_spec[0].shape == (3, 8, 8, 1)
    for a, b in zip(
        mapped.take(4), batches(held, DataConfig(), 3, seed=5, num_classes=NUM_CLASSES).take(4), strict=True
    ):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])


def test_small_arrays_are_held_in_memory():
    assert not isinstance(allocate((4, 8, 8), np.uint8), np.memmap)


@pytest.mark.slow
def test_workers_share_a_step_and_miss_nothing():
    slices = _numbered(12)
    whole = _order(
        batches(slices, _STILL, 2, seed=1, num_classes=NUM_CLASSES, share=Share(replicas=3, first=0, count=3)), 6
    )
    first = _order(
        batches(slices, _STILL, 2, seed=1, num_classes=NUM_CLASSES, share=Share(replicas=3, first=0, count=1)), 2
    )
    others = _order(
        batches(slices, _STILL, 2, seed=1, num_classes=NUM_CLASSES, share=Share(replicas=3, first=1, count=2)), 4
    )
    assert whole == [first[0], *others[:2], first[1], *others[2:]]
    later = _order(
        batches(slices, _STILL, 2, seed=1, num_classes=NUM_CLASSES, first=1, share=Share(replicas=3, first=1, count=2)),
        2,
    )
    assert later == others[2:]


def test_averaging_down_takes_square_blocks():
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    np.testing.assert_array_equal(average_down(image, 2), [[2.5, 4.5], [10.5, 12.5]])
    np.testing.assert_array_equal(average_down(image, 4), image)


def test_the_majority_wins_and_ties_go_to_the_lowest_class():
    labels = np.array([[1, 1, 2, 0], [1, 0, 0, 2]], np.uint8).repeat(2, axis=0)[[0, 2, 1, 3]]
    np.testing.assert_array_equal(majority_down(labels, 2, NUM_CLASSES), [[1, 0], [1, 0]])


def test_a_size_that_does_not_divide_is_refused():
    with pytest.raises(ConfigError, match=r"data\.image_size"):
        average_down(np.zeros((6, 6), np.float32), 4)


def _seeds(count):
    return tf.stack([tf.zeros(count, tf.int64), tf.range(count, dtype=tf.int64)], axis=1)


def test_no_zoom_and_no_shift_change_nothing():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 1)).astype(np.float32)
    labels = np.random.default_rng(0).integers(0, 5, (2, 16, 16)).astype(np.uint8)
    same, same_labels = random_resized_crop(images, labels, _seeds(2), 1.0, 1.0, 0.0)
    np.testing.assert_allclose(same, images, atol=1e-6)
    np.testing.assert_array_equal(same_labels, labels)


def test_zoom_keeps_the_centre_and_scales_the_area():
    labels = np.zeros((1, 64, 64), np.uint8)
    labels[0, 22:42, 22:42] = 1
    images = labels[..., None].astype(np.float32) * 2 - 1
    zoomed, zoomed_labels = random_resized_crop(images, labels, _seeds(1), 1.5, 1.5, 0.0)
    place = np.argwhere(zoomed_labels[0].numpy())
    assert len(place) == pytest.approx(400 * 2.25, rel=0.05)
    np.testing.assert_allclose(place.mean(axis=0), [31.5, 31.5], atol=0.51)
    # Image and label move together.
    assert np.mean((zoomed[0, :, :, 0].numpy() > 0) == zoomed_labels[0].numpy().astype(bool)) > 0.99


def test_what_comes_from_outside_is_air_and_background():
    images, labels = np.ones((8, 32, 32, 1), np.float32), np.ones((8, 32, 32), np.uint8)
    shrunk, shrunk_labels = random_resized_crop(images, labels, _seeds(8), 0.5, 0.5, 0.0)
    assert np.all(shrunk[:, 0, :, 0] == -1)
    assert np.all(shrunk_labels[:, 0, :].numpy() == 0)


def test_left_and_right_are_never_swapped():
    # A ramp that rises from left to right must rise in every crop.
    ramp = np.broadcast_to(np.linspace(-0.5, 0.5, 32, dtype=np.float32), (64, 32, 32))[..., None]
    crops, _ = random_resized_crop(ramp, None, _seeds(64), 0.8, 1.2, 0.1)
    inside = crops[:, 16, 10:22, 0].numpy()
    assert np.all(np.diff(inside, axis=1) > 0)
