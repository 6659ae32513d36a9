import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attent_tf.errors import InputError
from attent_tf.metrics.overlap import as_masks, dice, volume_difference_ml

masks = hnp.arrays(bool, (2, 4, 3), elements=st.booleans())


def test_dice_of_three_and_two_voxels_that_share_one():
    a = np.zeros((2, 3, 3), bool)
    b = np.zeros((2, 3, 3), bool)
    a[0, 0, :] = True
    b[0, 0, 2] = b[1, 0, 2] = True
    assert dice(a, b) == pytest.approx(2 * 1 / (3 + 2))


def test_dice_without_overlap_is_zero_and_with_itself_is_one():
    a = np.zeros((1, 2, 2), bool)
    a[0, 0, 0] = True
    assert dice(a, np.roll(a, 1, axis=2)) == 0.0
    assert dice(a, a) == 1.0


def test_dice_of_a_missed_organ_is_zero_and_of_nothing_is_undefined():
    nothing = np.zeros((2, 2, 2), bool)
    assert dice(nothing, ~nothing) == 0.0
    assert dice(~nothing, nothing) == 0.0
    assert math.isnan(dice(nothing, nothing))


@given(masks, masks)
@settings(deadline=None)
def test_dice_is_symmetric_and_a_fraction(a, b):
    value = dice(a, b)
    assert value == dice(b, a) or (math.isnan(value) and not a.any() and not b.any())
    assert math.isnan(value) or 0.0 <= value <= 1.0


def test_different_shapes_are_refused():
    with pytest.raises(InputError) as refused:
        dice(np.zeros((1, 2, 2)), np.zeros((1, 2, 3)))
    assert str(refused.value) == (
        "prediction and reference: expected one shape, found (1, 2, 2) and (1, 2, 3); bring both to the same grid first"
    )


def test_masks_that_are_masks_already_are_not_copied():
    given_masks = np.zeros((1, 2, 2), bool), np.ones((1, 2, 2), bool)
    for mine, theirs in zip(as_masks(*given_masks), given_masks, strict=True):
        assert np.shares_memory(mine, theirs)


def test_volume_difference_has_a_sign():
    two, three = np.zeros((2, 2, 5), bool), np.zeros((2, 2, 5), bool)
    two[0, 0, :2] = three[1, 1, :3] = True
    nothing = np.zeros_like(two)
    spacing = (5.0, 2.0, 10.0)  # 0.1 mL a voxel
    assert volume_difference_ml(three, two, spacing) == pytest.approx(0.1)
    assert volume_difference_ml(two, three, spacing) == pytest.approx(-0.1)
    assert volume_difference_ml(nothing, three, spacing) == pytest.approx(-0.3)
    assert math.isnan(volume_difference_ml(nothing, nothing, spacing))
