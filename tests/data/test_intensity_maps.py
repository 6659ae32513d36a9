"""Random grey-value maps of labelled slices."""

import numpy as np
import pytest
import tensorflow as tf

from attent_tf.data.intensity_maps import AIR, class_wise_maps, local_maps, monotone_maps, smooth_fields

_MANY = 16
_STRENGTH = (0.1, 0.5)


def _seeds(count=_MANY, of=0):
    return tf.stack([tf.fill([count], tf.constant(of, tf.int64)), tf.range(count, dtype=tf.int64)], axis=1)


def _slices(channels=1, seed=0):
    """Images with a third of air, and labels of 5 classes; the last one is absent from the first slice."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(-0.9, 0.8, (_MANY, 12, 12, channels)).astype(np.float32)
    images[:, :4] = rng.uniform(-1.0, -0.985, images[:, :4].shape)
    labels = rng.integers(0, 5, (_MANY, 12, 12)).astype(np.uint8)
    labels[:, :4] = 0
    labels[0] %= 4
    return images, labels


def _every_map(images, labels, seeds, strength=_STRENGTH):
    return {
        "monotone": monotone_maps(images, seeds, *strength).numpy(),
        "local": local_maps(images, labels, seeds, 5, *strength).numpy(),
        "class_wise": class_wise_maps(images, labels, seeds, 5, *strength).numpy(),
    }


def test_monotone_maps_keep_the_order_of_values():
    images, _ = _slices(channels=3)
    mapped = monotone_maps(images, _seeds(), *_STRENGTH).numpy()
    for before, after in zip(images.reshape(_MANY, -1), mapped.reshape(_MANY, -1), strict=True):
        assert np.all(np.diff(after[np.argsort(before)]) >= -1e-5)
        assert np.ptp(after[before >= AIR]) > 0.5


def test_without_factor_and_shift_the_darkest_and_the_brightest_tissue_stay():
    images, _ = _slices()
    mapped = monotone_maps(images, _seeds(), 0.0, 0.0).numpy()
    for before, after in zip(images, mapped, strict=True):
        tissue = before >= AIR
        assert after[tissue].min() == pytest.approx(before[tissue].min(), abs=1e-6)
        assert after[tissue].max() == pytest.approx(before[tissue].max(), abs=1e-6)
        assert np.abs(after - before).max() > 0.02


def test_a_curve_is_a_cubic_bezier_curve():
    # Of a ramp, the map itself can be read; both inner points are found again by least squares on the parametric curve.
    ramp = np.broadcast_to(np.linspace(-0.5, 0.5, 256, dtype=np.float32).reshape(1, 16, 16, 1), (_MANY, 16, 16, 1))
    curves = monotone_maps(ramp, _seeds(), 0.0, 0.0).numpy().reshape(_MANY, -1) + 0.5
    t = np.linspace(0, 1, 2001)
    knots = np.linspace(0, 1, 15)
    for curve in curves[:4]:
        best = min(
            np.abs(np.interp(np.linspace(0, 1, 256), _bezier(t, x2, x3), _bezier(t, *fitted)) - curve).max()
            for i, x2 in enumerate(knots)
            for x3 in knots[i:]
            for fitted in [_ordinates(curve, t, x2, x3)]
        )
        assert best < 0.03


def _bezier(t, second, third):
    return 3 * t * (1 - t) ** 2 * second + 3 * t**2 * (1 - t) * third + t**3


def _ordinates(curve, t, x2, x3):
    wanted = np.interp(_bezier(t, x2, x3), np.linspace(0, 1, 256), curve) - t**3
    basis = np.stack([3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t)], axis=1)
    return np.linalg.lstsq(basis, wanted, rcond=None)[0]


def test_air_stays_and_tissue_stays_tissue_in_range():
    images, labels = _slices()
    air = images < AIR
    for kind, mapped in _every_map(images, labels, _seeds(), (0.5, 3.0)).items():
        np.testing.assert_array_equal(mapped[air], images[air], err_msg=kind)
        assert mapped[~air].min() >= np.float32(AIR), kind
        assert mapped.max() <= 1.0, kind


def test_slices_of_air_and_of_one_value_are_mapped_to_numbers():
    images = np.stack([np.full((8, 8, 1), -1, np.float32), np.full((8, 8, 1), 0.25, np.float32)])
    labels = np.zeros((2, 8, 8), np.uint8)
    for kind, mapped in _every_map(images, labels, _seeds(2)).items():
        np.testing.assert_array_equal(mapped[0], images[0], err_msg=kind)
        assert np.ptp(mapped[1]) < 1e-6 or kind == "class_wise"
        assert np.all(np.isfinite(mapped)), kind


def test_a_shift_saturates_at_most_a_fifth_of_the_tissue_at_either_end():
    images, _ = _slices()
    mapped = monotone_maps(images, _seeds(), 0.0, 50.0).numpy()
    for before, after in zip(images, mapped, strict=True):
        tissue = after[before >= AIR]
        assert np.mean(tissue <= AIR + 1e-5) < 0.22
        assert np.mean(tissue >= 1 - 1e-5) < 0.22
        # So large a shift reaches one of the two limits.
        assert np.quantile(tissue, 0.2) < AIR + 0.1 or np.quantile(tissue, 0.8) > 0.9


def test_factors_lie_within_one_standard_deviation():
    # Without a shift and with the percentiles at 0, what a map does to the ends is the factor alone.
    image = np.zeros((16, 16, 1), np.float32)
    image[0, 0], image[0, 1] = -0.5, 0.5
    mapped = monotone_maps(np.stack([image] * 64), _seeds(64), 0.1, 0.0).numpy()
    factors = mapped[:, 0, 1, 0] - mapped[:, 0, 0, 0]
    assert factors.min() == pytest.approx(0.9, abs=1e-5)
    assert factors.max() == pytest.approx(1.1, abs=1e-5)
    assert 0.95 < factors.mean() < 1.05


def test_local_maps_are_one_function_of_the_value_for_each_class():
    images, labels = _slices()
    images = np.round(images, 1)
    mapped = local_maps(images, labels, _seeds(), 5, *_STRENGTH).numpy()
    falling = []
    for before, after, classes in zip(images[..., 0], mapped[..., 0], labels, strict=True):
        for class_ in range(5):
            here = (classes == class_) & (before >= AIR)
            by_value = {value: after[here & (before == value)] for value in np.unique(before[here])}
            assert all(np.ptp(results) == 0 for results in by_value.values())
            steps = np.diff([results[0] for results in by_value.values()])
            if class_ and steps.size:
                falling.append(np.all(steps <= 1e-5))
                assert falling[-1] or np.all(steps >= -1e-5)
            # The background's contrast is always inverted.
            assert class_ or np.all(steps <= 1e-5)
    assert 0.25 < np.mean(falling) < 0.75


def test_a_class_is_mapped_by_its_own_values_alone():
    images, labels = _slices()
    others = np.where(labels[..., None] == 2, images, np.clip(images + 0.1, -1, 1)).astype(np.float32)
    a, b = (local_maps(x, labels, _seeds(), 5, *_STRENGTH).numpy() for x in (images, others))
    np.testing.assert_array_equal(a[labels == 2], b[labels == 2])
    assert np.any(a[labels == 3] != b[labels == 3])


def test_class_wise_maps_mix_both_views_by_the_field():
    images, labels = _slices()
    views = _every_map(images, labels, _seeds())
    field = smooth_fields(_seeds(), 12, 12).numpy()
    mixed, tissue = views["class_wise"], images >= AIR
    for value, view in ((1.0, "monotone"), (0.0, "local")):
        there = tissue & (field == value)
        np.testing.assert_array_equal(mixed[there], views[view][there])
    expected = views["monotone"] * field + views["local"] * (1 - field)
    np.testing.assert_allclose(mixed[tissue], expected[tissue], atol=1e-6)


def test_fields_are_smooth_and_reach_from_0_to_1():
    fields = smooth_fields(_seeds(), 128, 128).numpy()
    np.testing.assert_array_equal(fields.min(axis=(1, 2, 3)), 0)
    np.testing.assert_array_equal(fields.max(axis=(1, 2, 3)), 1)
    assert np.abs(np.diff(fields, axis=1)).max() < 0.06
    assert not np.allclose(fields[0], fields[1])


@pytest.mark.slow
def test_the_same_seed_gives_the_same_map_wherever_it_stands_in_a_batch():
    images, labels = _slices()
    whole = _every_map(images, labels, _seeds())
    part = _every_map(images[5:8], labels[5:8], _seeds()[5:8])
    other = _every_map(images, labels, _seeds(of=1))
    for kind, mapped in whole.items():
        np.testing.assert_array_equal(mapped[5:8], part[kind], err_msg=kind)
        assert not np.allclose(mapped, other[kind]), kind


def test_channels_share_a_map():
    images, labels = _slices()
    three = np.repeat(images, 3, axis=-1)
    for kind, mapped in _every_map(three, labels, _seeds()).items():
        np.testing.assert_array_equal(mapped[..., 0], mapped[..., 2], err_msg=kind)
