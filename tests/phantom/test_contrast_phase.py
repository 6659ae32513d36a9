"""CT numbers follow the phase of the contrast medium, and livers their fat."""

import numpy as np
import pytest

from attent_tf.phantom.contrast_phase import Phase, draw_hounsfield, draw_phase
from attent_tf.phantom.liver_fat import draw_liver_fat_percent
from attent_tf.phantom.tissues import Tissue


def _drawn(phase, subjects=200):
    return [draw_hounsfield(np.random.default_rng(seed), phase) for seed in range(subjects)]


def _mean(subjects, tissue):
    return np.mean([means[tissue] for means in subjects])


def test_unenhanced_livers_are_those_of_a_screened_population():
    """Boyce et al., AJR 2010: 58.8 ± 10.8 HU, 6.2 % of 3357 adults at 40 HU or less."""
    livers = np.array([means[Tissue.LIVER] for means in _drawn(Phase.NATIVE, 3000)])
    assert livers.mean() == pytest.approx(58.8, abs=1.5)
    assert livers.std() == pytest.approx(10.8, abs=2.0)
    assert np.mean(livers <= 40) == pytest.approx(0.062, abs=0.025)


def test_without_contrast_medium_blood_is_alike_and_kidneys_are_darker_than_the_liver():
    subjects = _drawn(Phase.NATIVE)
    assert all(means[Tissue.AORTA] == means[Tissue.PORTAL_VEIN] == means[Tissue.LIVER_VESSEL] for means in subjects)
    assert _mean(subjects, Tissue.RIGHT_CORTEX) < _mean(subjects, Tissue.SPLEEN) < _mean(subjects, Tissue.LIVER)


def test_the_medium_reaches_arteries_then_veins_then_urine():
    native, arterial, venous, late = (
        _drawn(phase) for phase in (Phase.NATIVE, Phase.LATE_ARTERIAL, Phase.PORTAL_VENOUS, Phase.LATE)
    )
    # Radiopaedia, late arterial phase: aorta 290 to 360 HU, portal vein 145 ± 20 HU, liver 20 to 30 HU above native.
    assert 290 <= _mean(arterial, Tissue.AORTA) <= 360
    assert _mean(arterial, Tissue.PORTAL_VEIN) == pytest.approx(145, abs=20)
    assert 20 <= _mean(arterial, Tissue.LIVER) - _mean(native, Tissue.LIVER) <= 30
    assert _mean(arterial, Tissue.AORTA) > _mean(venous, Tissue.AORTA) > _mean(late, Tissue.AORTA)
    assert _mean(venous, Tissue.LIVER) > max(_mean(arterial, Tissue.LIVER), _mean(late, Tissue.LIVER))
    for subjects, least in ((arterial, 90), (venous, 20)):
        assert _mean(subjects, Tissue.RIGHT_CORTEX) > _mean(subjects, Tissue.RIGHT_MEDULLA) + least
    assert _mean(late, Tissue.RENAL_PELVIS) > _mean(venous, Tissue.RENAL_PELVIS) + 50


def test_one_dose_moves_all_tissues_of_a_subject_together():
    subjects = _drawn(Phase.PORTAL_VENOUS)
    aorta, spleen = ([means[tissue] for means in subjects] for tissue in (Tissue.AORTA, Tissue.SPLEEN))
    assert np.corrcoef(aorta, spleen)[0, 1] > 0.5


def test_both_kidneys_of_a_subject_take_up_alike():
    for means in _drawn(Phase.LATE_ARTERIAL, 5):
        assert means[Tissue.LEFT_CORTEX] == means[Tissue.RIGHT_CORTEX]
        assert means[Tissue.LEFT_MEDULLA] == means[Tissue.RIGHT_MEDULLA]


def test_most_scans_are_portal_venous_and_every_phase_is_seen():
    rng = np.random.default_rng(0)
    phases = [draw_phase(rng) for _ in range(1000)]
    assert phases.count(Phase.PORTAL_VENOUS) == pytest.approx(640, abs=50)
    for phase in (Phase.NATIVE, Phase.LATE_ARTERIAL, Phase.LATE):
        assert phases.count(phase) == pytest.approx(120, abs=35)


def test_three_of_four_livers_are_without_fat():
    rng = np.random.default_rng(0)
    percent = np.array([draw_liver_fat_percent(rng) for _ in range(1000)])
    assert np.mean(percent == 0) == pytest.approx(0.75, abs=0.05)
    assert 30 < percent.max() <= 50
