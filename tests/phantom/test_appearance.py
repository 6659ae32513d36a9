"""Intensities are ordered as the physics of each modality has it, in every subject."""

import numpy as np
import pytest

from attent_tf.phantom.appearance_ct import appearance_ct
from attent_tf.phantom.appearance_mr import appearance_mr_t2spir
from attent_tf.phantom.contrast_phase import Phase
from attent_tf.phantom.scanner import ScanGrid
from attent_tf.phantom.spin_echo import SpinEchoSequence
from attent_tf.phantom.tissues import Tissue

_SIDE, _SLICES = 24, 3
_GRID = ScanGrid.centred((_SLICES, _SIDE, _SIDE * len(Tissue)), (5.0, 1.3, 1.3), (0.0, 0.0, 0.0), np.eye(4))


def _blocks():
    tissues = np.repeat(np.arange(len(Tissue), dtype=np.uint8), _SIDE)
    return np.broadcast_to(tissues, (2 * _SLICES + 1, _SIDE, tissues.size))


def _means(appearance, seed, *settings):
    """Mean intensity of a block of each tissue, without its borders."""
    image = appearance(_blocks(), _GRID, np.random.default_rng(seed), *settings).astype(float)
    return {tissue: image[:, 6:-6, tissue * _SIDE + 6 : (tissue + 1) * _SIDE - 6].mean() for tissue in Tissue}


@pytest.fixture(scope="module")
def ct():
    return [_means(appearance_ct, seed, Phase.PORTAL_VENOUS) for seed in range(5)]


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
        (Tissue.AORTA, Tissue.SPLEEN),
        (Tissue.MUSCLE, Tissue.SPLEEN),
        (Tissue.VISCERAL_FAT, Tissue.SPLEEN),
        (Tissue.VISCERAL_FAT, Tissue.RIGHT_CORTEX),
        (Tissue.LIVER, Tissue.SPLEEN),
        (Tissue.LIVER, Tissue.RIGHT_CORTEX),
        (Tissue.SPLEEN, Tissue.BILE),
        (Tissue.LEFT_MEDULLA, Tissue.BILE),
        (Tissue.CORTICAL_BONE, Tissue.MUSCLE),
    ],
)
def test_t2_spir_contrast(mr, darker, brighter):
    assert all(means[darker] < means[brighter] for means in mr)


def test_kidneys_of_one_subject_look_alike(ct, mr):
    for means in ct + mr:
        assert means[Tissue.LEFT_CORTEX] == pytest.approx(means[Tissue.RIGHT_CORTEX], rel=0.25)


def test_without_contrast_medium_kidneys_are_darker_than_muscle():
    for seed in range(3):
        means = _means(appearance_ct, seed, Phase.NATIVE)
        assert means[Tissue.RIGHT_CORTEX] < means[Tissue.MUSCLE]
        assert means[Tissue.AORTA] == pytest.approx(means[Tissue.VENA_CAVA], abs=3)


def test_the_spleen_is_mottled_in_the_arterial_phase_alone():
    spleen = slice(Tissue.SPLEEN * _SIDE + 6, (Tissue.SPLEEN + 1) * _SIDE - 6)
    deviations = [
        np.std(appearance_ct(_blocks(), _GRID, np.random.default_rng(0), phase)[:, 6:-6, spleen])
        for phase in (Phase.PORTAL_VENOUS, Phase.LATE_ARTERIAL)
    ]
    assert deviations[1] > 1.4 * deviations[0]


def test_fat_suppression_and_coils_vary_over_the_patient():
    tissues = np.full((2 * _SLICES + 1, 200, 200), Tissue.SUBCUTANEOUS_FAT, np.uint8)
    grid = ScanGrid.centred((_SLICES, 200, 200), (5.0, 1.5, 1.5), (0.0, 0.0, 0.0), np.eye(4))
    sequence = SpinEchoSequence(2000.0, 75.0, restored=False)
    for seed in range(3):
        image = appearance_mr_t2spir(tissues, grid, np.random.default_rng(seed), sequence).astype(float)
        quarters = image.reshape(_SLICES, 4, 50, 4, 50).mean((0, 2, 4))
        assert quarters.max() > 1.3 * quarters.min()


def test_hounsfield_units_are_those_of_textbooks(ct):
    for means in ct:
        assert means[Tissue.OUTSIDE] == pytest.approx(-1000, abs=8)
        assert means[Tissue.SUBCUTANEOUS_FAT] == pytest.approx(-105, abs=25)
        assert means[Tissue.LIVER] == pytest.approx(110, abs=40)
        assert means[Tissue.MUSCLE] == pytest.approx(61, abs=25)


def test_mr_scale_differs_between_subjects_and_fits_12_bits(mr):
    livers = [means[Tissue.LIVER] for means in mr]
    assert max(livers) > 1.4 * min(livers)
    assert all(0 <= mean <= 4095 for means in mr for mean in means.values())


def test_images_have_the_types_of_scanners():
    tissues = np.zeros((2 * _SLICES + 1, _SIDE, _SIDE * len(Tissue)), np.uint8)
    rng = np.random.default_rng(0)
    assert appearance_ct(tissues, _GRID, rng).dtype == np.int16
    assert appearance_mr_t2spir(tissues, _GRID, rng).dtype == np.uint16
