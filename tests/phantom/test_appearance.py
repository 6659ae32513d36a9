"""Intensities are ordered as the physics of each modality has it, in every subject."""

import numpy as np
import pytest

from attent_tf.phantom.appearance_ct import appearance_ct
from attent_tf.phantom.appearance_mr import appearance_mr_t2spir
from attent_tf.phantom.scanner import ScanGrid
from attent_tf.phantom.tissues import Tissue

_SIDE, _SLICES = 24, 3
_GRID = ScanGrid.centred((_SLICES, _SIDE, _SIDE * len(Tissue)), (5.0, 1.3, 1.3), (0.0, 0.0, 0.0), np.eye(4))


def _means(appearance, seed):
    """Mean intensity of a block of each tissue, without its borders."""
    tissues = np.repeat(np.arange(len(Tissue), dtype=np.uint8), _SIDE)
    tissues = np.broadcast_to(tissues, (2 * _SLICES + 1, _SIDE, tissues.size))
    image = appearance(tissues, _GRID, np.random.default_rng(seed)).astype(float)
    return {tissue: image[:, 6:-6, tissue * _SIDE + 6 : (tissue + 1) * _SIDE - 6].mean() for tissue in Tissue}


@pytest.fixture(scope="module")
def ct():
    return [_means(appearance_ct, seed) for seed in range(5)]


@pytest.fixture(scope="module")
def mr():
    return [_means(appearance_mr_t2spir, seed) for seed in range(5)]


@pytest.mark.parametrize(
    ("darker", "brighter"),
    [
        (Tissue.OUTSIDE, Tissue.LUNG),
        (Tissue.STOMACH_GAS, Tissue.LUNG),
        (Tissue.LUNG, Tissue.SUBCUTANEOUS_FAT),
        (Tissue.VISCERAL_FAT, Tissue.BILE),
        (Tissue.BILE, Tissue.MUSCLE),
        (Tissue.MUSCLE, Tissue.LIVER),
        (Tissue.LIVER, Tissue.RIGHT_CORTEX),
        (Tissue.SPLEEN, Tissue.LEFT_CORTEX),
        (Tissue.LIVER, Tissue.CORTICAL_BONE),
        (Tissue.RIGHT_MEDULLA, Tissue.RIGHT_CORTEX),
        (Tissue.MUSCLE, Tissue.AORTA),
        (Tissue.RIGHT_CORTEX, Tissue.CORTICAL_BONE),
    ],
)
def test_ct_contrast(ct, darker, brighter):
    assert all(means[darker] < means[brighter] for means in ct)


@pytest.mark.parametrize(
    ("darker", "brighter"),
    [
        (Tissue.OUTSIDE, Tissue.SUBCUTANEOUS_FAT),
        (Tissue.STOMACH_GAS, Tissue.LIVER),
        (Tissue.AORTA, Tissue.LIVER),
        (Tissue.LIVER_VESSEL, Tissue.LIVER),
        (Tissue.MUSCLE, Tissue.LIVER),
        (Tissue.VISCERAL_FAT, Tissue.LIVER),
        (Tissue.LIVER, Tissue.SPLEEN),
        (Tissue.LIVER, Tissue.RIGHT_CORTEX),
        (Tissue.RIGHT_CORTEX, Tissue.RIGHT_MEDULLA),
        (Tissue.SPLEEN, Tissue.BILE),
        (Tissue.LEFT_MEDULLA, Tissue.SPINAL_FLUID),
        (Tissue.CORTICAL_BONE, Tissue.MUSCLE),
    ],
)
def test_t2_spir_contrast(mr, darker, brighter):
    assert all(means[darker] < means[brighter] for means in mr)


def test_kidneys_of_one_subject_look_alike(ct, mr):
    for means in ct + mr:
        assert means[Tissue.LEFT_CORTEX] == pytest.approx(means[Tissue.RIGHT_CORTEX], rel=0.25)


def test_hounsfield_units_are_those_of_textbooks(ct):
    for means in ct:
        assert means[Tissue.OUTSIDE] == pytest.approx(-1000, abs=8)
        assert means[Tissue.SUBCUTANEOUS_FAT] == pytest.approx(-105, abs=25)
        assert means[Tissue.LIVER] == pytest.approx(110, abs=40)
        assert means[Tissue.MUSCLE] == pytest.approx(58, abs=25)


def test_mr_scale_differs_between_subjects_and_fits_12_bits(mr):
    livers = [means[Tissue.LIVER] for means in mr]
    assert max(livers) > 1.4 * min(livers)
    assert all(0 <= mean <= 4095 for means in mr for mean in means.values())


def test_images_have_the_types_of_scanners():
    tissues = np.zeros((2 * _SLICES + 1, _SIDE, _SIDE * len(Tissue)), np.uint8)
    rng = np.random.default_rng(0)
    assert appearance_ct(tissues, _GRID, rng).dtype == np.int16
    assert appearance_mr_t2spir(tissues, _GRID, rng).dtype == np.uint16
