"""Metrics against computations that share nothing with them: brute force, medpy, and DeepMind's surface-distance."""

import itertools
import json
import math

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.metrics.overlap import dice
from attent_tf.metrics.surface import asd, assd, hd95
from attent_tf.metrics.surface_distances import surface_distances
from attent_tf.metrics.surface_elements import areas_of_patterns, surface_dice_by_area
from attent_tf.metrics.surface_voxels import OUTSIDE, surface_voxels
from tests.support import brute_force, deepmind, medpy_values

EXACT = 1e-9


def _agree(value, expected):
    return value == expected or (math.isnan(value) and math.isnan(expected)) or abs(value - expected) <= EXACT


def _check_against_brute_force(random, rank):
    prediction, reference = brute_force.random_masks(random, 6, rank)
    spacing = tuple(random.uniform(0.3, 8.0, rank))
    outside, connectivity = random.choice(OUTSIDE), int(random.integers(1, 4))
    where = (prediction.shape, spacing, outside, connectivity)
    for found, steps in zip(
        surface_distances(prediction, reference, (None, spacing), outside, connectivity),
        ((1.0,) * rank, spacing),
        strict=True,
    ):
        expected = brute_force.directed_distances(prediction, reference, steps, outside, connectivity)
        if expected is None:
            present = [brute_force.surface(mask, outside, connectivity).any() for mask in (prediction, reference)]
            assert _agree(found.assd, math.inf if any(present) else math.nan), where
            assert _agree(found.within(1.0), 0.0 if any(present) else math.nan), where
            continue
        there, back = expected
        pooled = np.concatenate(expected)
        tolerance = random.uniform(0.0, 8.0)
        for value, wanted in (
            (found.assd, pooled.mean()),
            (found.asd_prediction, there.mean()),
            (found.asd_reference, back.mean()),
            (found.mean_of_directed, (there.mean() + back.mean()) / 2),
            (found.percentile(), np.percentile(pooled, 95)),
            (found.percentile(95, "max"), max(np.percentile(there, 95), np.percentile(back, 95))),
            (found.percentile(100), pooled.max()),
            (found.within(tolerance), np.mean(pooled <= tolerance)),
        ):
            assert _agree(value, wanted), where


@pytest.mark.slow
@pytest.mark.parametrize(("rank", "count"), [(3, 2000), (2, 500)])
def test_brute_force_on_thousands_of_random_masks(rank, count):
    random = np.random.default_rng(2024 + rank)
    for _ in range(count):
        _check_against_brute_force(random, rank)


def test_the_two_oracles_find_the_same_surface(surface_oracle):
    random = np.random.default_rng(3)
    for _ in range(20):
        mask, _ = brute_force.random_masks(random)
        for outside in OUTSIDE:
            by_loops = np.zeros_like(mask)
            for voxel in surface_oracle(mask, outside == "object"):
                by_loops[voxel] = True
            np.testing.assert_array_equal(brute_force.surface(mask, outside), by_loops)
            np.testing.assert_array_equal(surface_voxels(mask, outside), by_loops)


def test_values_that_medpy_gave():
    values = json.loads(medpy_values.PATH.read_text())
    assert len(values) == 3 * medpy_values.COUNT
    for value in values:
        prediction, reference, spacing = medpy_values.pair(value["pair"])
        ways = {"connectivity": value["connectivity"]}
        assert dice(prediction, reference) == pytest.approx(value["dc"], abs=EXACT)
        assert assd(prediction, reference, spacing, **ways) == pytest.approx(value["assd"], abs=EXACT)
        assert assd(prediction, reference, **ways) == pytest.approx(value["assd_voxel"], abs=EXACT)
        assert asd(prediction, reference, spacing, **ways) == pytest.approx(value["asd"], abs=EXACT)
        assert hd95(prediction, reference, spacing, **ways) == pytest.approx(value["hd95"], abs=EXACT)
        (found,) = surface_distances(prediction, reference, [spacing], **ways)
        assert found.percentile(100) == pytest.approx(value["hd"], abs=EXACT)


def test_medpy_itself_on_random_masks():
    binary = pytest.importorskip("medpy.metric.binary", reason="medpy has no wheel; install it to compare with it")
    random = np.random.default_rng(5)
    for _ in range(200):
        prediction, reference = brute_force.random_masks(random, 8)
        if not (prediction.any() and reference.any()):
            continue
        spacing = tuple(random.uniform(0.3, 8.0, 3))
        for steps, connectivity in itertools.product((None, spacing), (1, 2, 3)):
            medpy = {"voxelspacing": steps, "connectivity": connectivity}
            ours = {"spacing_mm": steps, "connectivity": connectivity}
            for metric, theirs in ((assd, binary.assd), (asd, binary.asd), (hd95, binary.hd95)):
                assert _agree(metric(prediction, reference, **ours), theirs(prediction, reference, **medpy))
        assert _agree(dice(prediction, reference), binary.dc(prediction, reference))


def test_surface_dice_by_area_is_that_of_surface_distance():
    random = np.random.default_rng(6)
    for spacing in ((1.0, 1.0, 1.0), (5.0, 1.5, 1.5), (2.5, 0.7, 1.3)):
        for _ in range(25):
            prediction, reference = brute_force.random_masks(random, 7)
            if not (prediction.any() and reference.any()):
                continue
            for tolerance in (0.0, 1.0, 2.5, 6.0):
                expected = deepmind.surface_dice(prediction, reference, tolerance, spacing)
                assert _agree(surface_dice_by_area(prediction, reference, tolerance, spacing), expected)
            assert _agree(dice(prediction, reference), deepmind.call("compute_dice_coefficient", reference, prediction))


def test_areas_of_all_patterns_are_those_of_surface_distance():
    from surface_distance import lookup_tables

    corners = list(itertools.product((0, 1), repeat=3))
    weights = np.array(lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL)
    codes = [sum(int(weights[c]) for bit, c in enumerate(corners) if pattern >> bit & 1) for pattern in range(256)]
    assert sorted(codes) == list(range(256))
    for spacing in ((1.0, 1.0, 1.0), (1.0, 2.0, 5.0), (3.0, 0.7, 1.3)):
        table = np.array(lookup_tables.create_table_neighbour_code_to_surface_area(spacing))
        np.testing.assert_allclose(areas_of_patterns(spacing), table[codes], rtol=0, atol=EXACT)


def test_surface_dice_by_area_by_hand():
    """Two cubes of one voxel, 3 slices apart: 8 corner pieces each, all 1 or more away beyond the near faces."""
    a = np.zeros((5, 3, 3), bool)
    b = a.copy()
    a[0, 1, 1] = b[3, 1, 1] = True
    # Corner pieces of a lie at slices -0.5 and 0.5, those of b at 2.5 and 3.5: distances 3 and 2 either way.
    spacing = (1.0, 1.0, 1.0)
    assert [surface_dice_by_area(a, b, tolerance, spacing) for tolerance in (1.9, 2.0, 3.0)] == [0.0, 0.5, 1.0]
    assert surface_dice_by_area(a, a, 0.0, spacing) == 1.0
    nothing = np.zeros_like(a)
    assert surface_dice_by_area(a, nothing, 9.0, spacing) == surface_dice_by_area(nothing, a, 9.0, spacing) == 0.0
    assert math.isnan(surface_dice_by_area(nothing, nothing, 9.0, spacing))
    shapes = r"^surface Dice by area: expected masks \[slice, row, column\], found shape \(3, 3\)$"
    with pytest.raises(InputError, match=shapes):
        surface_dice_by_area(a[0], b[0], 1.0, spacing)


def test_area_and_voxels_agree_where_a_plate_lies_beside_a_plate():
    """Surfaces that are everywhere within the tolerance, or nowhere, are so in either count; between, they differ."""
    a = np.zeros((8, 9, 9), bool)
    a[1:3, 2:7, 2:7] = True
    b = np.roll(a, 4, axis=0)
    spacing = (2.0, 1.0, 1.0)
    for tolerance, expected in ((0.0, 0.0), (3.9, 0.0), (8.0, 1.0)):
        (voxels,) = surface_distances(a, b, [spacing])
        assert voxels.within(tolerance) == surface_dice_by_area(a, b, tolerance, spacing) == expected
