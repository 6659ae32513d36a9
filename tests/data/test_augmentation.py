"""Augmentation of what S is trained on: rotation, wider zoom, and grey values of a share of the labelled slices."""

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.configs import AugmentationConfig, DataConfig
from attent_tf.data.augmentation import map_some_intensities, random_resized_crop, resized_crop
from attent_tf.data.batches import Share, batches
from attent_tf.data.intensity_maps import AIR
from attent_tf.data.slices import SliceArrays
from tests.support.abdomen import NUM_CLASSES

_STILL = DataConfig(zoom_min=1.0, zoom_max=1.0, shift=0.0)
_SIZE = 16
_KINDS = pytest.mark.parametrize("kind", ["monotone", "class_wise"])


def _slices(count=11, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.uniform(-0.95, 0.9, (count, _SIZE, _SIZE, 1)).astype(np.float32)
    return SliceArrays(images, rng.integers(0, 5, (count, _SIZE, _SIZE)).astype(np.uint8))


def _seeds(count, first=0):
    positions = tf.range(first, first + count, dtype=tf.int64)
    return tf.stack([tf.zeros(count, tf.int64), positions], axis=1)


def _both(slices, config, augmentation, batch_size=4, steps=6, **options):
    """The batches without and with an augmentation, as arrays [step, batch, …]."""
    made = [
        list(batches(slices, config, batch_size, 3, NUM_CLASSES, augmentation=settings, **options).take(steps))
        for settings in (AugmentationConfig(), augmentation)
    ]
    return [[np.stack(values) for values in zip(*batch, strict=True)] for batch in made]


def _zoomed_and_shifted(slices, index, seed, position, config):
    """The crop of one slice where there is no rotation: (x − cx) / zoom + cx + shift, in float32."""
    u = tf.random.stateless_uniform([3], tf.constant([seed, position], tf.int64)).numpy()
    zoom = np.float32(config.zoom_min) + np.float32(config.zoom_max - config.zoom_min) * u[0]
    scale, centre = np.float32(1) / zoom, np.float32((_SIZE - 1) / 2)
    row, column = (
        (np.float32(2) * u[i] - np.float32(1)) * np.float32(config.shift) * np.float32(_SIZE) for i in (1, 2)
    )
    offset = centre * (np.float32(1) - scale)
    transform = np.array([[scale, 0, offset + column, 0, scale, offset + row, 0, 0]], np.float32)
    image, label = (
        tf.raw_ops.ImageProjectiveTransformV3(
            images=values,
            transforms=transform,
            output_shape=[_SIZE, _SIZE],
            interpolation=interpolation,
            fill_mode="CONSTANT",
            fill_value=fill,
        )
        for values, interpolation, fill in (
            (slices.images[index : index + 1], "BILINEAR", -1.0),
            (slices.labels[index : index + 1, ..., None], "NEAREST", 0.0),
        )
    )
    return image[0].numpy(), label[0, ..., 0].numpy()


def test_without_augmentation_batches_are_zoomed_and_shifted_to_the_last_bit():
    config, slices = DataConfig(zoom_min=0.8, zoom_max=1.3, shift=0.1), _slices(1)
    images, labels = next(iter(batches(slices, config, 16, seed=3, num_classes=NUM_CLASSES)))
    for position in range(16):
        image, label = _zoomed_and_shifted(slices, 0, 3, position, config)
        np.testing.assert_array_equal(images[position], image)
        np.testing.assert_array_equal(labels[position], label)


@pytest.mark.slow
@_KINDS
def test_maps_change_images_of_the_share_alone_and_no_label(kind):
    (images, labels), (mapped, same_labels) = _both(_slices(), DataConfig(), AugmentationConfig(intensity=kind))
    np.testing.assert_array_equal(labels, same_labels)
    changed = np.any(images != mapped, axis=(2, 3, 4))
    assert np.all(changed.sum(axis=1) == 2)
    np.testing.assert_array_equal(mapped[images < AIR], images[images < AIR])


@pytest.mark.parametrize(
    ("batch_size", "share"), [(1, 0.3), (4, 0.0), (4, 0.3), (4, 0.9), (10, 0.25), (10, 0.5), (10, 1.0)]
)
def test_any_slices_in_a_row_have_the_share_to_within_one(batch_size, share):
    slices = _slices(batch_size)
    config = AugmentationConfig("monotone", intensity_share=share)
    changed = []
    for first in range(0, 40, batch_size):
        mapped = map_some_intensities(
            slices.images, slices.labels, _seeds(batch_size, first), config, NUM_CLASSES
        ).numpy()
        changed.extend(np.any(mapped != slices.images, axis=(1, 2, 3)))
    for start in range(0, 30, 3):
        assert abs(sum(changed[start : start + 10]) - 10 * share) < 1
    assert sum(changed) == pytest.approx(40 * share)


@pytest.mark.slow
@_KINDS
def test_a_sequence_that_begins_later_and_one_shared_by_workers_is_the_same(kind):
    augmentation = AugmentationConfig(kind, intensity_share=0.3, rotation=10, zoom=0.1)

    def made(steps, **options):
        stream = batches(_slices(), DataConfig(), 2, 3, NUM_CLASSES, augmentation=augmentation, **options).take(steps)
        return [batch[0].numpy() for batch in stream]

    whole = made(6, share=Share(replicas=2, first=0, count=2))
    np.testing.assert_array_equal(made(2, first=2, share=Share(replicas=2, first=0, count=2)), whole[4:])
    np.testing.assert_array_equal(made(3, share=Share(replicas=2, first=1, count=1)), whole[1::2])


@pytest.mark.slow
def test_slices_without_labels_keep_their_grey_values_and_share_the_geometry():
    slices = _slices()
    unlabelled = SliceArrays(slices.images, None)
    augmentation = AugmentationConfig("monotone", intensity_share=1.0, rotation=20, zoom=0.2)
    geometry = AugmentationConfig(rotation=20, zoom=0.2)
    target = next(iter(batches(unlabelled, DataConfig(), 4, 3, NUM_CLASSES, augmentation=augmentation)))
    labelled, _ = next(iter(batches(slices, DataConfig(), 4, 3, NUM_CLASSES, augmentation=geometry)))
    np.testing.assert_array_equal(target, labelled)


def test_no_last_bit_of_the_geometry_is_a_matter_of_which_thread_was_quicker():
    # Of additions of additions TensorFlow makes sums that begin with whichever term is free first.
    traced = tf.function(lambda *parts: resized_crop(tf.zeros((4, 8, 8, 1)), None, *parts)[0])
    graph = traced.get_concrete_function(*[tf.TensorSpec([4])] * 4).graph
    additions = [operation for operation in graph.get_operations() if operation.type.startswith("Add")]
    chained = [addition.name for addition in additions if any(term.op in additions for term in addition.inputs)]
    assert not chained


def _turned(images, labels, angle):
    still = tf.zeros(len(images))
    return resized_crop(images, labels, tf.ones(len(images)), tf.fill([len(images)], float(angle)), still, still)


def test_a_quarter_turn_is_counter_clockwise():
    image, labels = np.float32([[1, 2], [3, 4]]) / 4, np.uint8([[1, 2], [3, 4]])
    turned, turned_labels = _turned(image[None, ..., None], labels[None], 90)
    np.testing.assert_array_equal(turned_labels[0], [[2, 4], [1, 3]])
    np.testing.assert_allclose(turned[0, ..., 0], np.float32([[2, 4], [1, 3]]) / 4, atol=1e-5)
    slices = _slices(2)
    turned, turned_labels = _turned(slices.images, slices.labels, -90)
    np.testing.assert_array_equal(turned_labels, np.rot90(slices.labels, -1, axes=(1, 2)))
    np.testing.assert_allclose(turned, np.rot90(slices.images, -1, axes=(1, 2)), atol=1e-4)


def test_an_eighth_turn_interpolates_images_and_takes_the_nearest_label():
    # The pixel above the centre of 3 × 3 comes from (1, 1) + (√½, −√½): between centre, right, top and the top right corner.
    image, labels = np.float32([[0, 0, 1], [0, 0, 0], [0, 0, 0]]), np.uint8([[0, 0, 3], [0, 0, 0], [0, 0, 0]])
    turned, turned_labels = _turned(image[None, ..., None], labels[None], 45)
    assert float(turned[0, 0, 1, 0]) == pytest.approx(0.5, abs=1e-6)
    assert turned_labels[0, 0, 1] == 3
    assert set(np.unique(turned_labels)) <= {0, 3}


def test_image_and_labels_turn_together_and_angles_stay_in_range():
    labels = np.zeros((64, 64, 64), np.uint8)
    labels[:, 30:34, 36:60] = 1
    images = labels[..., None].astype(np.float32) * 2 - 1
    turned, turned_labels = random_resized_crop(images, labels, _seeds(64), 1.0, 1.0, 0.0, rotation=30.0)
    assert np.mean((turned[..., 0] > 0) == turned_labels.numpy().astype(bool)) > 0.995
    angles = []
    for turned_map in turned_labels.numpy():
        row, column = np.argwhere(turned_map).mean(axis=0) - 31.5
        angles.append(np.degrees(np.arctan2(-row, column)))
    assert np.abs(angles).max() < 31
    assert min(angles) < -20 < 20 < max(angles)


def test_no_turn_within_half_a_right_angle_swaps_left_and_right():
    ramp = np.broadcast_to(np.linspace(-0.5, 0.5, 32, dtype=np.float32), (64, 32, 32))[..., None]
    crops, _ = random_resized_crop(ramp, None, _seeds(64), 0.8, 1.2, 0.1, rotation=45.0)
    assert np.all(np.diff(crops[:, 16, 12:20, 0].numpy(), axis=1) > 0)


def test_zoom_widens_the_range_at_either_end():
    labels = np.zeros((1, 64, 64), np.uint8)
    labels[0, 12:52, 12:52] = 1
    slices = SliceArrays(labels[..., None].astype(np.float32), labels)
    still, wide = _both(slices, _STILL, AugmentationConfig(zoom=0.25), batch_size=64, steps=1)
    factors = np.sqrt(wide[1].sum(axis=(2, 3)) / still[1].sum(axis=(2, 3)))
    assert factors.min() == pytest.approx(0.8, abs=0.05)
    assert factors.max() == pytest.approx(1.25, abs=0.05)
