import numpy as np
import pytest
import scipy.ndimage

from attent_tf.phantom.anatomy import make_anatomy
from attent_tf.phantom.scanner import drop_islands
from attent_tf.phantom.tissues import ORGAN_TISSUES, Tissue, chaos_greys, malbcv_labels
from tests.support.abdomen import ORGANS

from .conftest import coarse_axes

VOXEL_ML = 5.0 * 3.0 * 3.0 / 1000
PHYSIOLOGICAL_ML = {
    "liver": (1200, 1900),
    "spleen": (120, 300),
    "right_kidney": (120, 200),
    "left_kidney": (120, 200),
}


def _mask(tissues, organ):
    return np.isin(tissues, ORGAN_TISSUES[ORGANS.index(organ)])


def _centre_mm(mask):
    """(x, y, z) of the centroid on the coarse grid."""
    slices, rows, columns = (index.astype(int) for index in np.nonzero(mask))
    z, y, x = coarse_axes()
    return np.array([x[columns].mean(), y[rows].mean(), z[slices].mean()])


@pytest.mark.parametrize("organ", ORGANS)
def test_organ_volumes_are_physiological_and_as_drawn(coarse_subjects, organ):
    low, high = PHYSIOLOGICAL_ML[organ]
    for anatomy, tissues in coarse_subjects:
        volume_ml = np.count_nonzero(_mask(tissues, organ)) * VOXEL_ML
        assert low <= volume_ml <= high
        assert volume_ml == pytest.approx(anatomy.volumes_ml[organ], rel=0.07)


def test_organs_lie_on_their_sides(coarse_subjects):
    for _, tissues in coarse_subjects:
        liver, right, left, spleen = (_centre_mm(_mask(tissues, organ)) for organ in ORGANS)
        spine = _centre_mm(tissues == Tissue.SPINAL_FLUID)
        aorta, cava = _centre_mm(tissues == Tissue.AORTA), _centre_mm(tissues == Tissue.VENA_CAVA)
        stomach = _centre_mm(tissues == Tissue.STOMACH_WALL)
        assert liver[0] > 20
        assert right[0] > 40
        assert left[0] < -40
        assert spleen[0] < -60
        assert stomach[0] < 0
        assert cava[0] > 5
        assert aorta[0] < -5
        # Kidneys behind the liver, spine behind the kidneys; the left kidney stands higher.
        assert right[1] < liver[1] - 10
        assert left[1] < liver[1] - 10
        assert spine[1] < right[1]
        assert left[2] > right[2]
        assert spleen[1] < stomach[1]


def test_upper_poles_of_the_kidneys_lean_to_the_spine(coarse_subjects):
    z = coarse_axes()[0][:, None, None]
    for _, tissues in coarse_subjects:
        for organ, side in (("right_kidney", 1), ("left_kidney", -1)):
            mask = _mask(tissues, organ)
            middle = _centre_mm(mask)[2]
            upper, lower = _centre_mm(mask & (z > middle + 15)), _centre_mm(mask & (z < middle - 15))
            assert side * upper[0] < side * lower[0]


def test_the_trunk_has_adult_size(coarse_subjects):
    _, y, x = coarse_axes()
    for _, tissues in coarse_subjects:
        body = tissues != Tissue.OUTSIDE
        width_mm, depth_mm = np.ptp(x[body.any((0, 1))]), np.ptp(y[body.any((0, 2))])
        assert 295 <= width_mm <= 410
        assert 195 <= depth_mm <= 290


def test_organs_lie_within_the_skin_and_under_the_lungs(coarse_subjects):
    for _, tissues in coarse_subjects:
        body = scipy.ndimage.binary_erosion(tissues != Tissue.OUTSIDE, iterations=2)
        organs = malbcv_labels(tissues) > 0
        assert np.all(body[organs & _interior(organs)])
        lung_slices = np.flatnonzero((tissues == Tissue.LUNG).any((1, 2)))
        liver_slices = np.flatnonzero(_mask(tissues, "liver").any((1, 2)))
        assert lung_slices.max() > liver_slices.max()


def _interior(mask):
    """All but the first and last slice, where erosion meets the border of the grid."""
    inner = np.zeros_like(mask)
    inner[2:-2] = True
    return inner


def test_every_organ_lies_whole_between_the_ends(coarse_subjects):
    for _, tissues in coarse_subjects:
        for organ in ORGANS:
            mask = _mask(tissues, organ)
            assert not mask[:8].any()
            assert not mask[-8:].any()


def test_subjects_differ_and_the_same_seed_does_not(coarse_subjects):
    anatomy, tissues = coarse_subjects[0]
    assert np.array_equal(anatomy.paint(*coarse_axes()), tissues)
    again = make_anatomy(np.random.default_rng(0))
    assert again.volumes_ml == anatomy.volumes_ml
    for _, other_tissues in coarse_subjects[1:]:
        liver, other_liver = _mask(tissues, "liver"), _mask(other_tissues, "liver")
        overlap = 2 * np.count_nonzero(liver & other_liver) / (liver.sum() + other_liver.sum())
        assert overlap < 0.95


def test_the_grid_does_not_change_the_anatomy(coarse_subjects):
    anatomy, tissues = coarse_subjects[1]
    z, y, x = coarse_axes()
    np.testing.assert_array_equal(anatomy.paint(z[10:40:3], y, x[::-1]), tissues[10:40:3, :, ::-1])


def test_labels_follow_tissues():
    tissues = np.array([Tissue.LIVER, Tissue.LIVER_VESSEL, Tissue.RIGHT_MEDULLA, Tissue.LEFT_CORTEX, Tissue.SPLEEN])
    assert malbcv_labels(tissues).tolist() == [6, 6, 2, 3, 1]
    assert chaos_greys(tissues).tolist() == [63, 63, 126, 189, 252]
    others = np.array([Tissue.OUTSIDE, Tissue.MUSCLE, Tissue.RENAL_PELVIS, Tissue.BOWEL_GAS, Tissue.TABLE])
    assert not malbcv_labels(others).any()
    assert not chaos_greys(others).any()
    assert malbcv_labels(np.array([Tissue.BILE, Tissue.STOMACH_GAS, Tissue.AORTA, Tissue.VENA_CAVA])).tolist() == [
        4,
        7,
        8,
        9,
    ]


def test_small_pieces_apart_from_an_organ_become_fat():
    tissues = np.full((6, 20, 20), Tissue.MUSCLE, np.uint8)
    tissues[1:5, 2:12, 2:12] = Tissue.SPLEEN
    tissues[2, 15, 15:18] = Tissue.SPLEEN
    drop_islands(tissues, (Tissue.SPLEEN,))
    assert np.count_nonzero(tissues == Tissue.SPLEEN) == 4 * 10 * 10
    assert np.all(tissues[2, 15, 15:18] == Tissue.VISCERAL_FAT)
