"""The signal equation, by numbers worked out by hand, and what it makes of tissues."""

import dataclasses

import numpy as np
import pytest

from attent_tf.phantom.spin_echo import SpinEchoSequence, draw_signals
from attent_tf.phantom.tissues import Tissue

PLAIN = SpinEchoSequence(repetition_ms=2000.0, echo_ms=80.0, restored=False)
RESTORED = dataclasses.replace(PLAIN, restored=True)


def test_a_tissue_that_recovers_and_decays():
    # 0.8 · (1 − exp(−2)) · exp(−1) = 0.8 · 0.864665 · 0.367879.
    assert PLAIN.signal(1000.0, 80.0, 0.8) == pytest.approx(0.254474, abs=1e-6)


def test_a_restoring_pulse_brings_back_what_has_not_decayed():
    # E1 = exp(−0.5) = 0.606531, E2' = exp(−340 / 2000) = 0.843665: 0.393469 / (1 − 0.511709) · exp(−0.04) = 0.774216.
    assert RESTORED.signal(4000.0, 2000.0) == pytest.approx(0.774216, abs=1e-5)
    assert PLAIN.signal(4000.0, 2000.0) == pytest.approx(0.393469 * np.exp(-0.04), abs=1e-6)
    # Nothing is left of a tissue at the end of the train: nothing to restore.
    assert RESTORED.signal(600.0, 45.0) == pytest.approx(PLAIN.signal(600.0, 45.0), rel=1e-4)


@pytest.mark.parametrize("sequence", [PLAIN, RESTORED])
def test_fluid_is_brightest_and_muscle_darker_than_the_liver(sequence):
    signals = [draw_signals(np.random.default_rng(seed), sequence)[0] for seed in range(100)]
    mean = {tissue: np.mean([drawn[tissue] for drawn in signals]) for tissue in signals[0]}
    assert (
        mean[Tissue.LUNG] < mean[Tissue.MUSCLE] < mean[Tissue.LIVER] < mean[Tissue.SPLEEN] < mean[Tissue.RIGHT_CORTEX]
    )
    assert mean[Tissue.RIGHT_CORTEX] < mean[Tissue.BOWEL_FLUID] < mean[Tissue.BILE]
    assert mean[Tissue.AORTA] < mean[Tissue.LIVER_VESSEL]


def test_without_a_restoring_pulse_free_fluid_is_saturated():
    ratios = [
        np.mean([drawn[Tissue.SPINAL_FLUID] / drawn[Tissue.SPLEEN] for drawn in signals])
        for signals in ([draw_signals(np.random.default_rng(s), q)[0] for s in range(50)] for q in (PLAIN, RESTORED))
    ]
    assert ratios[0] < 1.6
    assert ratios[1] > 2.2


def test_a_longer_echo_time_darkens_the_liver_more_than_the_spleen():
    early, late = (
        [draw_signals(np.random.default_rng(s), dataclasses.replace(PLAIN, echo_ms=echo_ms))[0] for s in range(20)]
        for echo_ms in (65.0, 85.0)
    )
    for before, after in zip(early, late, strict=True):
        assert after[Tissue.LIVER] / before[Tissue.LIVER] < after[Tissue.SPLEEN] / before[Tissue.SPLEEN] < 1


def test_only_fat_has_fat():
    _, fat = draw_signals(np.random.default_rng(0), PLAIN)
    assert set(fat) == {Tissue.SUBCUTANEOUS_FAT, Tissue.VISCERAL_FAT, Tissue.MARROW}


def test_sequences_have_the_times_of_chaos():
    rng = np.random.default_rng(0)
    sequences = [SpinEchoSequence.draw(rng) for _ in range(200)]
    assert all(1400 <= sequence.repetition_ms <= 2400 and 65 <= sequence.echo_ms <= 85 for sequence in sequences)
    assert np.mean([sequence.restored for sequence in sequences]) == pytest.approx(0.5, abs=0.1)
