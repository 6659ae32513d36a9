"""Through-plane resampling: prepared slices of one distance, and the way back to the slices of the scan."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attent_tf.volumes import (
    PrepareOptions,
    SliceGrid,
    fit_grid,
    images_to_grid,
    labels_to_grid,
    prepare,
    restore_image,
)
from attent_tf.volumes.blocks_from_grid import blocks_from_grid
from tests.support.from_grid import images_from_grid, labels_from_grid, probabilities_from_grid, restore_labels

ORDERS = st.permutations(("RL", "AP", "SI")).flatmap(lambda order: st.tuples(*map(st.sampled_from, order)))


def _grid(slices, origin, scale, size=4):
    return SliceGrid(size, 0.0, 1.0, 0.0, 1.0, slices, origin, scale)


def _levels(slices, size=4):
    """Each slice holds its own number."""
    return np.broadcast_to(np.arange(slices, dtype=np.float32)[:, None, None], (slices, size, size))


def test_the_scans_own_slices_are_the_default_and_copied(tools):
    canonical = tools.patient("SPL")
    grid = fit_grid(canonical, "resize", 32)
    assert (grid.slices, grid.slice_origin, grid.slice_scale) == (14, 0.0, 1.0)
    # 8.004 mm would move the outermost slices by a third of a hundredth of a slice.
    assert fit_grid(canonical, "resize", 32, slice_mm=8.004) == grid
    assert fit_grid(canonical, "resize", 32, slice_mm=8.1) != grid


@given(slices=st.integers(1, 60), spacing_mm=st.floats(0.5, 9.0), slice_mm=st.floats(0.5, 12.0))
def test_prepared_slices_share_the_scans_middle_and_both_lie_in_each_others_field(tools, slices, spacing_mm, slice_mm):
    canonical = tools.patient("SPL", (slices, 4, 4), (spacing_mm, 40.0, 40.0))
    grid = fit_grid(canonical, "resize", 4, slice_mm=slice_mm)
    position = grid.slice_origin + grid.slice_scale * np.arange(grid.slices)
    assert position.mean() == pytest.approx((slices - 1) / 2, abs=1e-9)
    assert position.min() >= -0.5
    there = images_to_grid(np.ones((slices, 4, 4)), grid, fill=-9)
    np.testing.assert_allclose(there, 1.0, atol=1e-6)
    back = images_from_grid(there, grid, (slices, 4, 4), fill=-9)
    np.testing.assert_allclose(back, 1.0, atol=1e-6)


def test_thicker_slices_average_and_thinner_ones_interpolate():
    # Twice as thick, at 0.5 and 2.5: triangle weights (0.75, 0.75, 0.25) and (0.25, 0.75, 0.75) over 1.75.
    thick = images_to_grid(_levels(4), _grid(2, 0.5, 2.0), fill=0)
    np.testing.assert_allclose(thick[:, 0, 0], [(0.75 + 0.5) / 1.75, (0.25 + 1.5 + 2.25) / 1.75], rtol=1e-6)
    # Half as thick, at -0.25, 0.25, 0.75, 1.25, ...: the first one has one neighbour only.
    thin = images_to_grid(_levels(3), _grid(6, -0.25, 0.5), fill=0)
    np.testing.assert_allclose(thin[:, 0, 0], [0.0, 0.25, 0.75, 1.25, 1.75, 2.0], rtol=1e-6)


def test_labels_are_weighed_in_the_slice_and_between_slices_together():
    # Halfway between two slices, and halfway between two columns: class 1 has 1/4 + 1/4, classes 2 and 3 have 1/4 each.
    labels = np.array([[[1, 2]], [[3, 1]]], np.uint8)
    grid = SliceGrid(1, 0.0, 1.0, 0.5, 1.0, 1, 0.5, 1.0)
    assert labels_to_grid(labels, grid) == 1
    # Taking a class in each slice first would have given 1 and 3, or 2 and 1, by chance.


def test_slices_beyond_the_scan_are_filled():
    grid = _grid(4, -1.0, 1.0)
    np.testing.assert_array_equal(images_to_grid(_levels(2), grid, fill=-7)[:, 0, 0], [-7, 0, 1, -7])
    labels = labels_to_grid(np.full((2, 4, 4), 3, np.uint8), grid)
    np.testing.assert_array_equal(labels[:, 0, 0], [0, 3, 3, 0])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    codes=ORDERS,
    spacing_mm=st.floats(2.0, 4.0),
    row_mm=st.floats(2.4, 4.0),
    relative=st.floats(0.5, 1.04),
    domain=st.sampled_from(("ct", "mri")),
)
def test_labels_come_back_where_slice_distances_are_near(tools, codes, spacing_mm, row_mm, relative, domain):
    shape = (int(90 / spacing_mm), int(165 / row_mm), int(245 / row_mm))
    volume = tools.patient("".join(codes), shape, (spacing_mm, row_mm, row_mm), domain, (30.0, -80.0, 12.0))
    case = prepare(volume, PrepareOptions(size=112, pixel_mm=row_mm, slice_mm=relative * spacing_mm))
    grid = case.geometry.grid
    assert len(case.images) == len(case.labels) == grid.slices
    assert case.geometry.record_spacing_mm[0] == pytest.approx(grid.slice_scale * spacing_mm)
    restored = restore_labels(case.labels, case.geometry)
    assert restored.shape == volume.shape
    for organ in range(1, 5):
        assert tools.dice(restored == organ, volume.labels == organ) >= 0.98


@settings(max_examples=15, deadline=None)
@given(codes=ORDERS, slice_mm=st.floats(2.0, 12.0))
def test_every_prepared_slice_shows_its_own_height(tools, codes, slice_mm):
    volume = tools.patient("".join(codes), (14, 40, 60), (6.0, 5.0, 5.0), "mri", (0.0, 0.0, 25.0))
    index = np.stack(np.indices(volume.shape), axis=-1)
    height = (index @ volume.affine[:3, :3].T + volume.affine[:3, 3])[..., 2]
    options = PrepareOptions("resize", 32, slice_mm=slice_mm)
    intensity = dataclasses.replace(prepare(volume, options).geometry.intensity, low=-100.0, high=150.0)
    case = prepare(volume, options, intensity)
    # The body decides nothing here, so heights may take the place of its voxels on the same grid.
    shown = dataclasses.replace(volume, voxels=height.astype(np.float32), labels=None)
    case = prepare(shown, options, intensity)
    seen = intensity.restore(case.images)[:, 16, 16]
    foot = height.min()
    grid = case.geometry.grid
    expected = foot + 6.0 * (grid.slice_origin + grid.slice_scale * np.arange(grid.slices))
    inner = (expected > foot + max(6.0, slice_mm)) & (expected < height.max() - max(6.0, slice_mm))
    # The sampled triangle of a support that is no whole number is off balance by hundredths of a slice.
    np.testing.assert_allclose(seen[inner], expected[inner], atol=0.1 * max(6.0, slice_mm))


@pytest.mark.parametrize("codes", ["RAS", "LPI", "SAR"])
@pytest.mark.parametrize(("slice_mm", "most_error"), [(3.0, 2.0), (8.0, 1e-4), (11.0, 3.0)])
def test_an_image_comes_back_on_the_slices_of_the_scan(tools, codes, slice_mm, most_error):
    volume = tools.patient(codes, spacing_spl=(8.0, 3.5, 3.5), domain="mri")
    case = prepare(volume, PrepareOptions(size=96, pixel_mm=3.5, slice_mm=slice_mm))
    back = restore_image(case.geometry.intensity.restore(case.images), case.geometry, voxels_outside=-5.0)
    assert back.shape == volume.shape
    assert (back != -5.0).all()
    # Of a range of 400; one slice off would make it 4.6, slices in reverse order 14.
    assert np.abs(back - np.clip(volume.voxels, 2, 400)).mean() < most_error


@pytest.mark.parametrize("scale", [0.3, 0.8, 1.0, 1.3, 4.0])
@pytest.mark.parametrize("batch", [1, 3, 8])
def test_answers_in_batches_are_put_together_as_in_one_piece(scale, batch):
    count = int(np.ceil(13 / scale))
    grid = SliceGrid(8, 1.0, 0.7, -1.0, 0.9, count, 6 - scale * (count - 1) / 2, scale)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), (count, 8, 8)).astype(np.float32)
    expected = probabilities_from_grid(probabilities, grid, (13, 10, 9))
    found, stop = np.zeros((13, 10, 9), np.uint8), 0
    blocks = (probabilities[start : start + batch] for start in range(0, count, batch))
    for block in blocks_from_grid(blocks, grid, (13, 10, 9)):
        assert block.part.start == stop
        found[block.part], stop = block.largest(), block.part.stop
    assert stop == 13
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("scale", [0.6, 1.7])
def test_blocks_of_slices_do_not_show(monkeypatch, scale):
    rng = np.random.default_rng(0)
    count = int(np.ceil(11 / scale))
    grid = SliceGrid(6, 0.4, 1.1, -0.3, 1.4, count, 5 - scale * (count - 1) / 2, scale)
    images, labels = rng.normal(size=(11, 7, 9)).astype(np.float32), rng.integers(0, 5, (11, 7, 9)).astype(np.uint8)
    whole = images_to_grid(images, grid, fill=0), labels_to_grid(labels, grid)
    back = images_from_grid(whole[0], grid, images.shape, 0), labels_from_grid(whole[1], grid, labels.shape)
    monkeypatch.setattr("attent_tf.volumes.resampling._BLOCK_BYTES", 4 * 63 * 3)
    np.testing.assert_allclose(images_to_grid(images, grid, fill=0), whole[0], atol=1e-6)
    np.testing.assert_array_equal(labels_to_grid(labels, grid), whole[1])
    np.testing.assert_allclose(images_from_grid(whole[0], grid, images.shape, 0), back[0], atol=1e-6)
    np.testing.assert_array_equal(labels_from_grid(whole[1], grid, labels.shape), back[1])


def test_an_image_on_the_scans_own_slices_is_refused(tools):
    geometry = prepare(tools.patient("RAS"), PrepareOptions(size=32, slice_mm=4.0)).geometry
    assert geometry.grid.slices == 28
    with pytest.raises(ValueError, match=r"\(28, 32, 32\)"):
        restore_image(np.zeros((14, 32, 32), np.float32), geometry, voxels_outside=0.0)
