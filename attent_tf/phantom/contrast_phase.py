"""CT numbers of a subject's tissues: without contrast medium, and what the medium adds in each phase.

Values hold for 120 kV; `docs/phantom.md` says where each comes from.
"""

import enum

import numpy as np

from attent_tf.phantom.liver_fat import draw_liver_fat_percent
from attent_tf.phantom.tissues import Tissue


class Phase(enum.IntEnum):
    """When the scan was made, by how long the contrast medium had been there."""

    NATIVE = 0
    LATE_ARTERIAL = 1
    PORTAL_VENOUS = 2
    LATE = 3


_SHARES = {Phase.PORTAL_VENOUS: 0.64, Phase.NATIVE: 0.12, Phase.LATE_ARTERIAL: 0.12, Phase.LATE: 0.12}

# tissue -> (mean HU without contrast medium, standard deviation between subjects)
_NATIVE_HU = {
    Tissue.OUTSIDE: (-1000, 0),
    Tissue.TABLE: (-120, 30),
    Tissue.SKIN: (30, 10),
    Tissue.SUBCUTANEOUS_FAT: (-106, 5),
    Tissue.VISCERAL_FAT: (-98, 6),
    Tissue.MUSCLE: (52, 8),
    Tissue.CORTICAL_BONE: (620, 80),
    Tissue.MARROW: (170, 40),
    Tissue.DISC: (90, 10),
    Tissue.SPINAL_FLUID: (22, 5),
    Tissue.SPINAL_CORD: (42, 5),
    Tissue.LUNG: (-830, 30),
    Tissue.LIVER: (62, 5),
    Tissue.BILE: (9, 5),
    Tissue.SPLEEN: (49, 4),
    Tissue.RIGHT_CORTEX: (34, 4),
    Tissue.RIGHT_MEDULLA: (32, 4),
    Tissue.RENAL_PELVIS: (6, 5),
    Tissue.PANCREAS: (42, 7),
    Tissue.STOMACH_FLUID: (16, 9),
    Tissue.STOMACH_GAS: (-980, 5),
    Tissue.BOWEL_FLUID: (20, 10),
    Tissue.BOWEL_GAS: (-980, 5),
    Tissue.STOOL: (-10, 25),
}
_BLOOD_HU, _WALL_HU = (43, 5), (38, 5)
_WITH_BLOOD = (
    Tissue.AORTA,
    Tissue.PORTAL_VEIN,
    Tissue.VENA_CAVA,
    Tissue.LIVER_VESSEL,
    Tissue.OTHER_VESSEL,
    Tissue.HEART,
)
_WALLS = (Tissue.STOMACH_WALL, Tissue.BOWEL_WALL, Tissue.OESOPHAGUS, Tissue.GALLBLADDER_WALL)

# tissue -> HU added in the late arterial, the portal venous and the late phase
_ENHANCEMENT_HU = {
    Tissue.LIVER: (24, 52, 38),
    Tissue.SPLEEN: (90, 72, 48),
    Tissue.RIGHT_CORTEX: (160, 150, 105),
    Tissue.RIGHT_MEDULLA: (40, 115, 108),
    Tissue.RENAL_PELVIS: (0, 0, 90),
    Tissue.PANCREAS: (65, 48, 32),
    Tissue.AORTA: (265, 108, 75),
    Tissue.PORTAL_VEIN: (100, 122, 76),
    Tissue.VENA_CAVA: (35, 95, 76),
    Tissue.LIVER_VESSEL: (50, 108, 72),
    Tissue.OTHER_VESSEL: (140, 100, 74),
    Tissue.HEART: (200, 98, 72),
    Tissue.MUSCLE: (4, 9, 11),
    Tissue.MARROW: (8, 20, 16),
    **dict.fromkeys(_WALLS, (38, 42, 32)),
}
# Dose by body weight, circulation and tube voltage move all tissues of a scan together.
_GAIN_SPREAD, _TISSUE_SPREAD = 0.17, 0.10

_ORAL_CONTRAST_SHARE = 0.3


def draw_phase(rng: np.random.Generator) -> Phase:
    """Draws a phase: as a rule portal venous, as MALBCV's scans are."""
    return list(_SHARES)[rng.choice(len(_SHARES), p=list(_SHARES.values()))]


def draw_hounsfield(rng: np.random.Generator, phase: Phase) -> dict[Tissue, float]:
    """Draws the mean CT number (HU) of every tissue of one subject in one phase."""
    means = {tissue: rng.normal(mean, spread) for tissue, (mean, spread) in _NATIVE_HU.items()}
    means |= dict.fromkeys(_WITH_BLOOD, rng.normal(*_BLOOD_HU))
    means |= dict.fromkeys(_WALLS, rng.normal(*_WALL_HU))
    means[Tissue.LIVER] -= draw_liver_fat_percent(rng)
    gain = np.exp(rng.normal(0, _GAIN_SPREAD))
    for tissue, added in _ENHANCEMENT_HU.items():
        means[tissue] += gain * np.exp(rng.normal(0, _TISSUE_SPREAD)) * (0, *added)[phase]
    means[Tissue.LEFT_CORTEX] = means[Tissue.RIGHT_CORTEX]
    means[Tissue.LEFT_MEDULLA] = means[Tissue.RIGHT_MEDULLA]
    if rng.random() < _ORAL_CONTRAST_SHARE:
        means[Tissue.STOMACH_FLUID] = rng.uniform(120, 260)
        means[Tissue.BOWEL_FLUID] = rng.uniform(150, 300)
    return means
