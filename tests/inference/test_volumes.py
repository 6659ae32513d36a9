"""Scans through a chain whose answer is known."""

import numpy as np
import pytest

from attent_tf.inference.volumes import Segmentation, segment_prepared, translate_prepared
from attent_tf.stopwatch import Stopwatch
from attent_tf.tasks import parse_rule
from attent_tf.volumes import PrepareOptions, Volume, prepare, restore_image
from attent_tf.volumes.orientation import canonical_view
from tests.inference.oracle import Oracle
from tests.support.abdomen import CT, MRI
from tests.support.same_answers import assert_same_labels, probabilities_on_scan

OPTIONS = PrepareOptions(size=64, pixel_mm=4.0)


@pytest.fixture(scope="module")
def volume():
    """A body of three tissues, stored head first: 60 × 50 × 11 voxels of 4 mm."""
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, 60), np.linspace(-1.2, 1.2, 50), indexing="ij")
    plane = np.where(x**2 + y**2 < 1, 40.0, -1000.0)
    plane[(x - 0.4) ** 2 + y**2 < 0.1] = 150
    voxels = np.repeat(plane[..., None], 11, axis=2) + np.arange(11) * 8.0
    voxels[25:30, 10:12] = 600
    affine = np.diag([-4.0, 4.0, -5.0, 1.0])
    return Volume(voxels.astype(np.int16), affine, "body", CT)


@pytest.fixture(scope="module")
def everything(volume):
    prepared = prepare(volume, OPTIONS)
    room = np.zeros((*volume.shape, 5), np.uint8)
    answer, watch, slices = Segmentation.blank(prepared, 5, entropy=True, probabilities=room), Stopwatch(), []
    segment_prepared(Oracle(), prepared, answer, slices.append, 3, watch)
    return prepared, answer, watch, slices


def _segmented(volume, options, batch_size=8):
    prepared = prepare(volume, options)
    answer = Segmentation.blank(prepared, 5)
    segment_prepared(Oracle(), prepared, answer, batch_size=batch_size)
    return answer.labels


def test_entropy_and_probabilities_change_no_label(volume, everything):
    _, answer, _, _ = everything
    labels = _segmented(volume, OPTIONS)
    assert_same_labels(answer.labels, labels, probabilities_on_scan(Oracle(), prepare(volume, OPTIONS)))
    assert set(np.unique(labels)) >= {0, 2, 4}


def test_probabilities_and_entropy_are_the_oracles_on_the_voxels_of_the_scan(volume, everything):
    prepared, answer, _, _ = everything
    output = Oracle()(prepared.images[..., None])
    for index in range(5):
        expected = restore_image(output.probabilities[..., index], prepared.geometry, 0.0)
        np.testing.assert_allclose(answer.probabilities[..., index] / 255, expected, atol=0.5 / 255 + 1e-6)
    expected = restore_image(output.entropy[..., 0], prepared.geometry, 0.0)
    np.testing.assert_allclose(answer.entropy / 255, expected, atol=0.5 / 255 + 1e-6)
    # A pixel of one tissue is as certain as the oracle ever is.
    certain = -(0.9 * np.log(0.9) + 4 * 0.025 * np.log(0.025)) / np.log(5)
    assert answer.entropy[30, 25, 5] == round(255 * certain)
    assert answer.mean_entropy == pytest.approx(certain, rel=1e-5)
    assert answer.entropy_of(4) == pytest.approx(certain, rel=1e-5)
    assert answer.entropy_of(1) is None or answer.pixels[1] > 0


def test_each_slice_is_told_once_and_phases_are_timed(volume, everything):
    _, _, watch, slices = everything
    assert sum(slices) == volume.shape[2]
    assert len(slices) == 4
    assert set(watch.seconds) == {"network", "resampling"}
    assert min(watch.seconds.values()) > 0


@pytest.mark.parametrize("slice_mm", [None, 7.0])
def test_the_batch_does_not_show(volume, slice_mm):
    options = PrepareOptions(size=64, pixel_mm=4.0, slice_mm=slice_mm, neighbours=1)
    first, *others = [_segmented(volume, options, size) for size in (1, 4, 32)]
    probabilities = probabilities_on_scan(Oracle(), prepare(volume, options))
    for segmentation in others:
        assert_same_labels(segmentation, first, probabilities)


def test_a_translation_spans_the_window_of_the_source(volume):
    options = PrepareOptions(size=64, pixel_mm=4.0, intensity={"ct": parse_rule("window:-100:300")})
    prepared = prepare(volume, options)
    image = translate_prepared(Oracle(), prepared, options, CT, batch_size=4)
    expected = restore_image(100.0 - 200.0 * prepared.images, prepared.geometry, -100.0)
    np.testing.assert_allclose(image, expected, atol=1e-3)
    assert image.shape == volume.shape
    # MR has no unit, and no range that all scans share.
    unitless = translate_prepared(Oracle(), prepared, options, MRI)
    np.testing.assert_allclose(unitless, (expected + 100.0) / 400.0 * 1000.0, atol=1e-2)


def test_labels_are_in_the_order_of_the_file(volume):
    labels = _segmented(volume, OPTIONS)
    prepared = prepare(volume, OPTIONS)
    canonical = np.moveaxis(labels, (0, 1, 2), (2, 1, 0))[::-1, ::-1]
    np.testing.assert_array_equal(canonical_view(labels, prepared.geometry.affine), canonical)
    # The bright rod lies at low i: stored leftwards, that is the patient's right.
    rod = np.argwhere(labels == 4)[:, 0]
    assert rod.min() < 30
