import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attent_tf.volumes import (
    SliceGrid,
    images_to_grid,
    labels_to_grid,
    resampling_matrix,
)
from tests.support.from_grid import images_from_grid, labels_from_grid, probabilities_from_grid


def test_same_pixels_are_copied():
    np.testing.assert_array_equal(resampling_matrix(3, 3, origin=0.0, scale=1.0), np.eye(3))


def test_larger_pixels_average_with_triangle_weights():
    # Target pixels at 0.5 and 2.5; support 2: weights 1 − 0.5/2 and 1 − 1.5/2, each row over its sum.
    expected = [[0.75 / 1.75, 0.75 / 1.75, 0.25 / 1.75, 0.0], [0.0, 0.25 / 1.75, 0.75 / 1.75, 0.75 / 1.75]]
    np.testing.assert_allclose(resampling_matrix(4, 2, origin=0.5, scale=2.0), expected, rtol=1e-6)


def test_smaller_pixels_interpolate_linearly():
    # Target pixels at −0.25, 0.25, 0.75 and 1.25; the outer two have one neighbour only.
    expected = [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    np.testing.assert_allclose(resampling_matrix(2, 4, origin=-0.25, scale=0.5), expected)


def test_pixels_whose_centre_lies_outside_have_no_weights():
    # Target pixels at −1, −0.5, 0, ..., 2, 2.5, 3: the field of three pixels ends at −0.5 and 2.5.
    matrix = resampling_matrix(3, 9, origin=-1.0, scale=0.5)
    np.testing.assert_array_equal(matrix.sum(axis=1), [0, 1, 1, 1, 1, 1, 1, 1, 0])


@given(
    source=st.integers(1, 40),
    target=st.integers(1, 40),
    origin=st.floats(-20, 20),
    scale=st.floats(0.2, 5),
)
def test_rows_sum_to_one_inside_and_to_zero_outside(source, target, origin, scale):
    matrix = resampling_matrix(source, target, origin, scale)
    position = origin + scale * np.arange(target)
    inside = (position >= -0.5) & (position <= source - 0.5)
    assert matrix.min() >= 0
    np.testing.assert_allclose(matrix.sum(axis=1), inside, atol=1e-6)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_a_ramp_tells_where_each_record_pixel_lies(scale):
    grid = SliceGrid(size=12, row_origin=9.25, row_scale=scale, column_origin=11.5, column_scale=scale, slices=2)
    rows, columns = np.mgrid[:50, :60].astype(np.float32)
    record = np.arange(12)
    # The sampled triangle of a support that is no whole number is off balance by hundredths of a pixel.
    seen_rows, seen_columns = images_to_grid(np.stack([rows, columns]), grid, fill=0)
    np.testing.assert_allclose(seen_rows, np.broadcast_to(9.25 + scale * record[:, None], (12, 12)), atol=0.05)
    np.testing.assert_allclose(seen_columns, np.broadcast_to(11.5 + scale * record[None, :], (12, 12)), atol=0.05)
    back_rows, back_columns = images_from_grid(np.stack([seen_rows, seen_columns]), grid, (2, 50, 60), fill=0)
    first, last = (np.ceil(9.25 + scale), np.floor(9.25 + scale * 10))
    inner = slice(int(first), int(last) + 1)
    inner_columns = slice(int(np.ceil(11.5 + scale)), int(np.floor(11.5 + scale * 10)) + 1)
    np.testing.assert_allclose(back_rows[inner, inner_columns], rows[inner, inner_columns], atol=0.05)
    np.testing.assert_allclose(back_columns[inner, inner_columns], columns[inner, inner_columns], atol=0.05)


def test_rows_and_columns_are_not_mixed_up():
    grid = SliceGrid(size=2, row_origin=0.0, row_scale=1.0, column_origin=1.0, column_scale=2.0, slices=1)
    image = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    # Rows are copied. Columns lie at 1 and 3 with support 2: (0.5, 1, 0.5, 0)/2 and (0, 0, 0.5, 1)/1.5.
    expected = [[1.0, 8 / 3], [5.0, 20 / 3]]
    np.testing.assert_allclose(images_to_grid(image, grid, fill=0)[0], expected, rtol=1e-6)


def test_outside_is_filled_both_ways():
    grid = SliceGrid(size=4, row_origin=-1.0, row_scale=1.0, column_origin=1.0, column_scale=1.0, slices=2)
    image = np.full((2, 3, 6), 5.0)
    forward = images_to_grid(image, grid, fill=-7.0)
    np.testing.assert_array_equal(forward[1], [[-7.0] * 4, [5.0] * 4, [5.0] * 4, [5.0] * 4])
    back = images_from_grid(forward, grid, (2, 3, 6), fill=9.0)
    np.testing.assert_array_equal(back[0], np.tile([9.0, 5.0, 5.0, 5.0, 5.0, 9.0], (3, 1)))


def test_labels_take_the_largest_share_and_never_an_average():
    # Half of each larger pixel is class 1 or 3; the average of 1 and 3 must not appear as 2.
    labels = np.zeros((1, 2, 8), np.uint8)
    labels[..., 0:4], labels[..., 4:7] = 1, 3
    grid = SliceGrid(size=4, row_origin=0.0, row_scale=1.0, column_origin=0.5, column_scale=2.0, slices=1)
    # Triangle weights (0.25, 0.75, 0.75, 0.25) around each record pixel; the last one sees 3 : 0 = 1 : 0.75.
    np.testing.assert_array_equal(labels_to_grid(labels, grid)[0, 0], [1, 1, 3, 3])
    assert (labels_to_grid(labels, grid)[0, 2:] == 0).all()


def test_labels_of_many_slices_equal_slices_one_by_one(monkeypatch):
    monkeypatch.setattr("attent_tf.volumes.resampling._BLOCK_BYTES", 4 * 30 * 20 * 2)
    labels = np.random.default_rng(0).integers(0, 5, (7, 20, 30)).astype(np.uint8)
    grid = SliceGrid(size=16, row_origin=1.3, row_scale=1.1, column_origin=-2.2, column_scale=1.7, slices=7)
    one_slice = dataclasses.replace(grid, slices=1)
    together = labels_to_grid(labels, grid)
    np.testing.assert_array_equal(
        together, np.concatenate([labels_to_grid(label_map[None], one_slice) for label_map in labels])
    )
    np.testing.assert_array_equal(
        labels_from_grid(together, grid, (7, 20, 30)),
        np.concatenate([labels_from_grid(label_map[None], one_slice, (1, 20, 30)) for label_map in together]),
    )


def test_probabilities_decide_between_pixels():
    # Halfway between two record pixels: 0.9 against 0.1 and 0.4 against 0.6 make 0.65 against 0.35.
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32).reshape(1, 1, 2, 2).repeat(2, axis=1)
    grid = SliceGrid(size=2, row_origin=0.0, row_scale=1.0, column_origin=0.0, column_scale=2.0, slices=1)
    np.testing.assert_array_equal(probabilities_from_grid(probabilities, grid, (1, 2, 3))[0, 0], [0, 0, 1])


def test_a_case_without_slices_stays_without_slices():
    grid = SliceGrid(size=4, row_origin=0.0, row_scale=1.0, column_origin=0.0, column_scale=1.0, slices=0)
    assert images_to_grid(np.zeros((0, 3, 3)), grid, fill=0).shape == (0, 4, 4)
    assert labels_to_grid(np.zeros((0, 3, 3), np.uint8), grid).shape == (0, 4, 4)


@given(
    seed=st.integers(0, 1000),
    slices=st.integers(1, 5),
    scale=st.floats(0.3, 2.5),
    origin=st.floats(-4, 4),
    slice_scale=st.sampled_from([1.0, 0.7, 1.6]),
)
def test_the_largest_class_is_that_of_all_classes_on_all_voxels(seed, slices, scale, origin, slice_scale):
    """What is left out because no organ can win there, a plain sum over all voxels and classes leaves to the background too."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(slices, 9, 9, 4))
    logits[..., 0] += 1.5
    probabilities = (np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)).astype(np.float32)
    grid = SliceGrid(9, origin, scale, -origin, scale, slices, 0.0, slice_scale)
    shape = (slices, 12, 10)
    matrices = [
        np.eye(slices) if slice_scale == 1.0 else resampling_matrix(slices, slices, 0.0, 1 / slice_scale),
        resampling_matrix(9, 12, -origin / scale, 1 / scale),
        resampling_matrix(9, 10, origin / scale, 1 / scale),
    ]
    values = np.einsum("as,br,dc,srck->abdk", *(matrix.astype(np.float64) for matrix in matrices), probabilities)
    found = probabilities_from_grid(probabilities, grid, shape)
    chosen = np.take_along_axis(values, found[..., None].astype(int), axis=-1)[..., 0]
    # Where two classes are equal but for rounding, either may be taken.
    np.testing.assert_allclose(chosen, values.max(axis=-1), atol=1e-6)
    assert not found[values.sum(axis=-1) == 0].any()
