import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attent_tf.errors import InputError
from attent_tf.metrics.surface import asd, assd, hd95, surface_dice
from attent_tf.metrics.surface_distances import surface_distances
from attent_tf.metrics.surface_voxels import surface_voxels

SPACING = (5.0, 1.5, 0.75)
spacings = st.tuples(*(st.floats(0.25, 9.0, allow_nan=False),) * 3)
masks = hnp.arrays(bool, (3, 4, 5), elements=st.booleans())


def box(shape, *ranges):
    mask = np.zeros(shape, bool)
    mask[tuple(slice(*r) for r in ranges)] = True
    return mask


def agree(a, b, tolerance=1e-9):
    return a == b or (math.isnan(a) and math.isnan(b)) or abs(a - b) <= tolerance


def test_surface_of_a_cube_is_all_but_its_centre():
    cube = box((5, 5, 5), (1, 4), (1, 4), (1, 4))
    surface = surface_voxels(cube)
    assert surface.sum() == 26
    assert not surface[2, 2, 2]


def test_diagonal_neighbours_do_not_make_a_surface():
    mask = np.ones((3, 5, 5), bool)
    mask[0, 1, 1] = False
    assert not surface_voxels(mask, "object")[1, 2, 2]
    assert not surface_voxels(mask, "object")[0, 2, 2]
    assert surface_voxels(mask, "object")[0, 1, 2]


def test_the_cut_face_is_surface_only_if_background_lies_outside():
    column = box((3, 5, 5), (0, 3), (1, 4), (1, 4))
    assert surface_voxels(column, "background")[0, 2, 2]
    assert not surface_voxels(column, "object")[0, 2, 2]
    assert surface_voxels(column, "object").sum() == 3 * 8


@pytest.mark.parametrize("outside", ["background", "object"])
def test_surface_agrees_with_loops(surface_oracle, outside):
    random = np.random.default_rng(1)
    for density in (0.2, 0.5, 0.9):
        mask = random.random((4, 5, 6)) < density
        expected = np.zeros_like(mask)
        for voxel in surface_oracle(mask, outside == "object"):
            expected[voxel] = True
        np.testing.assert_array_equal(surface_voxels(mask, outside), expected)


def test_two_voxels_apart_along_each_axis_is_the_spacing_of_that_axis():
    a = box((3, 3, 3), (0, 1), (0, 1), (0, 1))
    for axis, step in enumerate(SPACING):
        b = np.roll(a, 2, axis=axis)
        assert assd(a, b, SPACING) == pytest.approx(2 * step)
        assert assd(a, b) == pytest.approx(2.0)


def test_diagonal_distance_with_anisotropic_spacing():
    a = box((2, 2, 2), (0, 1), (0, 1), (0, 1))
    b = box((2, 2, 2), (1, 2), (1, 2), (1, 2))
    assert assd(a, b, SPACING) == pytest.approx(math.sqrt(5.0**2 + 1.5**2 + 0.75**2))


def test_distances_of_both_directions_are_pooled_and_not_averaged_twice():
    # One voxel against a row of three: 0 one way; 0, 1 and 2 the other way. Pooled: 3 / 4, mean of means: 1 / 2.
    voxel = box((1, 1, 3), (0, 1), (0, 1), (0, 1))
    three = np.ones((1, 1, 3), bool)
    assert assd(voxel, three) == pytest.approx(3 / 4)
    assert asd(voxel, three) == 0.0
    assert asd(three, voxel) == pytest.approx(1.0)


def test_every_measure_takes_the_neighbours_that_it_is_given():
    # A cube of 5 voxels an edge without one corner, and the whole cube. The voxel at (1, 1, 1) touches the lost corner by its
    # own corner alone, so it is surface with neighbours across corners; from it the other surface is 1 away, as it is from
    # the lost corner. Surfaces: 98 and 97 or 98 voxels.
    whole = box((7, 7, 7), (1, 6), (1, 6), (1, 6))
    chipped = whole.copy()
    chipped[1, 1, 1] = False
    assert asd(chipped, whole) == 0.0
    assert asd(chipped, whole, connectivity=3) == pytest.approx(1 / 98)
    assert assd(chipped, whole, connectivity=3) == pytest.approx(2 / 196)
    assert surface_dice(chipped, whole, 0.5, None) == pytest.approx(1 - 1 / 195)
    assert surface_dice(chipped, whole, 0.5, None, connectivity=3) == pytest.approx(1 - 2 / 196)
    # The same in a square of 3 pixels an edge: one distance of 15 is 1, and with corners two of 16.
    square = box((5, 5), (1, 4), (1, 4))
    cut = square.copy()
    cut[1, 1] = False
    assert asd(cut, square) == surface_distances(cut, square)[0].asd_prediction == 0.0
    assert asd(cut, square, connectivity=2) == pytest.approx(1 / 8)
    assert hd95(cut, square) == pytest.approx(0.3)
    assert hd95(cut, square, connectivity=2) == pytest.approx(1.0)


def test_conventions_at_the_border_give_different_distances():
    # A column through all slices against the same column that ends one slice early, 3 by 3 voxels wide.
    whole = box((3, 5, 5), (0, 3), (1, 4), (1, 4))
    short = box((3, 5, 5), (0, 2), (1, 4), (1, 4))
    # background: surfaces 9 + 8 + 9 and 9 + 9; from the whole the last slice is 1 away (9 voxels),
    # from the short the centre of its last slice is 1 away from surface (1 voxel).
    assert assd(whole, short) == pytest.approx((9 + 1) / (26 + 18))
    # object: surfaces 8 + 8 + 8 and 8 + 9; from the whole the ring of the last slice is 1 away (8 voxels),
    # from the short only the centre is (1 voxel).
    assert assd(whole, short, outside="object") == pytest.approx((8 + 1) / (24 + 17))


@pytest.mark.parametrize("outside", ["background", "object"])
def test_agrees_with_brute_force_on_random_masks(oracle, outside):
    random = np.random.default_rng(7)
    for _ in range(150):
        shape = tuple(random.integers(1, 6, 3))
        a, b = (random.random(shape) < random.choice([0.05, 0.3, 0.7, 1.0]) for _ in range(2))
        spacing = tuple(random.uniform(0.3, 8.0, 3))
        for steps in (None, spacing):
            expected = oracle(a, b, steps or (1.0, 1.0, 1.0), outside == "object")
            assert agree(assd(a, b, steps, outside), expected), (shape, steps)


def measures(a, b, spacing):
    """Everything that is a distance."""
    (found,) = surface_distances(a, b, [spacing])
    directed = [found.asd_prediction, found.asd_reference]
    return [found.assd, found.mean_of_directed, found.percentile(95), found.percentile(95, "max"), *directed]


@given(masks, masks, spacings)
@settings(max_examples=60, deadline=None)
def test_symmetric(a, b, spacing):
    *one_way, there, back = measures(a, b, spacing)
    *other_way, back_again, there_again = measures(b, a, spacing)
    assert all(map(agree, [*one_way, there, back], [*other_way, there_again, back_again]))
    assert agree(surface_dice(a, b, 2.0, spacing), surface_dice(b, a, 2.0, spacing))


@given(masks, masks, spacings, st.floats(0.1, 10.0))
@settings(max_examples=60, deadline=None)
def test_scales_with_the_spacing(a, b, spacing, factor):
    scaled = measures(a, b, tuple(factor * step for step in spacing))
    for large, small in zip(scaled, measures(a, b, spacing), strict=True):
        assert agree(large, factor * small, 1e-9 * max(1.0, factor))


@given(masks, masks, spacings, st.tuples(*(st.integers(1, 3),) * 3))
@settings(max_examples=60, deadline=None)
def test_does_not_change_when_both_masks_move(a, b, spacing, shift):
    def at(offsets):
        padded = [np.pad(m, [(o, 4 - o) for o in offsets]) for m in (a, b)]
        return [*measures(*padded, spacing), surface_dice(*padded, 2.0, spacing)]

    assert all(map(agree, at(shift), at((1, 1, 1))))


@given(masks, masks, spacings)
@settings(max_examples=60, deadline=None)
def test_two_directions_agree_with_the_pooled_ones(a, b, spacing):
    (found,) = surface_distances(a, b, [spacing])
    if a.any() and b.any():
        weights = found.from_prediction.size, found.from_reference.size
        assert agree(found.assd, np.average([found.asd_prediction, found.asd_reference], weights=weights))
        assert found.percentile(100) == found.percentile(100, "max") >= found.percentile(95, "max")
        assert found.within(found.percentile(100)) == 1.0


@given(masks)
@settings(deadline=None)
def test_distance_to_itself_is_zero(a):
    assert assd(a, a) == 0.0 or not a.any()


def test_percentile_rules_by_hand():
    # One voxel against a row of 21: distance 0 one way; 0 to 20 the other way.
    row = np.ones((1, 1, 21), bool)
    voxel = box(row.shape, (0, 1), (0, 1), (0, 1))
    # max: the 95th of 0 ... 20 is 19. pooled: of 22 values 0, 0, 1 ... 20 it lies at position 0.95 * 21 = 19.95.
    assert hd95(voxel, row, rule="max") == pytest.approx(19.0)
    assert hd95(voxel, row) == pytest.approx(18 + 0.95)
    assert hd95(voxel, row, (1.0, 1.0, 0.5)) == pytest.approx((18 + 0.95) / 2)


def test_surface_dice_by_hand():
    # Distances 0 one way, and 0, 1 and 2 the other way.
    voxel = box((1, 1, 3), (0, 1), (0, 1), (0, 1))
    three = np.ones((1, 1, 3), bool)
    for tolerance, near in ((0.0, 2), (0.99, 2), (1.0, 3), (2.0, 4)):
        assert surface_dice(voxel, three, tolerance, None) == near / 4
    assert surface_dice(voxel, three, 2.0, (1.0, 1.0, 3.0)) == 2 / 4


def test_neighbourhoods_by_hand():
    # A cube with one corner missing: the voxel at its centre touches the gap with a corner only.
    cube = np.ones((3, 3, 3), bool)
    cube[0, 0, 0] = False
    centre = {c: surface_voxels(cube, "object", c)[1, 1, 1] for c in (1, 2, 3)}
    assert centre == {1: False, 2: False, 3: True}
    edge = {c: surface_voxels(cube, "object", c)[0, 1, 1] for c in (1, 2, 3)}
    assert edge == {1: False, 2: True, 3: True}


def test_empty_masks():
    nothing = np.zeros((2, 3, 3), bool)
    something = box((2, 3, 3), (0, 1), (1, 2), (1, 2))
    assert math.isnan(assd(nothing, nothing))
    assert assd(nothing, something) == assd(something, nothing) == math.inf
    assert math.isnan(asd(nothing, nothing))
    assert asd(nothing, something) == asd(something, nothing) == math.inf
    for rule in ("pooled", "max"):
        assert math.isnan(hd95(nothing, nothing, rule=rule))
        assert hd95(nothing, something, rule=rule) == math.inf
    assert math.isnan(surface_dice(nothing, nothing, 3.0, SPACING))
    assert surface_dice(nothing, something, 3.0, SPACING) == surface_dice(something, nothing, 3.0, SPACING) == 0.0


def test_several_units_at_once_are_the_single_ones():
    random = np.random.default_rng(3)
    a, b = (random.random((4, 6, 6)) < 0.4 for _ in range(2))
    assert [d.assd for d in surface_distances(a, b, [None, SPACING])] == [assd(a, b), assd(a, b, SPACING)]


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.0, 1.0), (1.0, -2.0, 1.0), (1.0, math.nan, 1.0)])
def test_spacing_that_cannot_be_is_refused(spacing):
    mask = np.ones((2, 2, 2), bool)
    with pytest.raises(InputError, match="spacing_mm: expected 3 positive numbers"):
        assd(mask, mask, spacing)


def test_unknown_convention_is_refused():
    with pytest.raises(InputError, match="outside: expected one of background, object"):
        surface_voxels(np.ones((2, 2, 2), bool), "mirror")
    mask = np.ones((2, 2, 2), bool)
    with pytest.raises(InputError, match="connectivity: expected one of 1, 2, 3, found 6"):
        assd(mask, mask, connectivity=6)
    with pytest.raises(InputError, match="rule: expected one of pooled, max, found 'mean'"):
        hd95(mask, mask, rule="mean")
