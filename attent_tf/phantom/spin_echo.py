"""Signal of a fat-suppressed T2-weighted turbo spin echo (T2-SPIR) at 1.5 T, from T1, T2 and proton density.

    S = PD · (1 − E1) / (1 − E1 · E2') · exp(−TE / T2),   E1 = exp(−TR / T1)

With a restoring pulse at the end of the echo train, E2' = exp(−train / T2) is what it finds to drive back; without one,
E2' = 0, and free fluid stays saturated. `docs/phantom.md` says where the values come from.
"""

import dataclasses

import numpy as np

from attent_tf.phantom.liver_fat import draw_liver_fat_percent
from attent_tf.phantom.tissues import Tissue

ECHO_TRAIN = 68
_ECHO_SPACING_MS = 5.0
_RESTORED_SHARE = 0.5

_BLOOD = (1440, 180, 0.85)
_WALL = (900, 55, 0.80)
# tissue -> (T1 in ms, T2 in ms, proton density) of its water
_WATER = {
    Tissue.SKIN: (900, 35, 0.70),
    Tissue.MUSCLE: (860, 38, 0.78),
    Tissue.MARROW: (900, 50, 0.35),
    Tissue.DISC: (1000, 70, 0.70),
    Tissue.SPINAL_FLUID: (4300, 2000, 1.0),
    Tissue.SPINAL_CORD: (800, 80, 0.75),
    Tissue.LUNG: (1200, 30, 0.20),
    Tissue.HEART: (1030, 52, 0.80),
    Tissue.AORTA: _BLOOD,
    Tissue.OTHER_VESSEL: _BLOOD,
    Tissue.VENA_CAVA: _BLOOD,
    Tissue.PORTAL_VEIN: _BLOOD,
    Tissue.LIVER_VESSEL: _BLOOD,
    Tissue.LIVER: (590, 46, 0.80),
    Tissue.GALLBLADDER_WALL: _WALL,
    Tissue.BILE: (2500, 700, 0.98),
    Tissue.SPLEEN: (1060, 79, 0.85),
    Tissue.RIGHT_CORTEX: (970, 87, 0.85),
    Tissue.RIGHT_MEDULLA: (1410, 95, 0.90),
    Tissue.RENAL_PELVIS: (3000, 800, 0.98),
    Tissue.PANCREAS: (585, 53, 0.80),
    Tissue.OESOPHAGUS: _WALL,
    Tissue.STOMACH_WALL: _WALL,
    Tissue.STOMACH_FLUID: (3000, 600, 0.98),
    Tissue.BOWEL_WALL: _WALL,
    Tissue.BOWEL_FLUID: (3000, 350, 0.98),
    Tissue.STOOL: (700, 60, 0.45),
}
_FAT_MS = (340, 80)
# tissue -> proton density of its fat
_FAT = {Tissue.SUBCUTANEOUS_FAT: 0.9, Tissue.VISCERAL_FAT: 0.9, Tissue.MARROW: 0.6}
_BONE_SIGNAL = 0.01
_T1_SPREAD, _T2_SPREAD = 0.07, 0.10
_ARTERIES = (Tissue.AORTA, Tissue.OTHER_VESSEL)
_VEINS = (Tissue.VENA_CAVA, Tissue.PORTAL_VEIN, Tissue.LIVER_VESSEL)


@dataclasses.dataclass(frozen=True)
class SpinEchoSequence:
    """What all tissues of a scan share.

    Attributes:
      repetition_ms, echo_ms: TR and effective TE.
      restored: a pulse at the end of the echo train drives what is left back to where it can be excited.
    """

    repetition_ms: float
    echo_ms: float
    restored: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "SpinEchoSequence":
        return cls(rng.uniform(1400, 2400), rng.uniform(65, 85), bool(rng.random() < _RESTORED_SHARE))

    def signal(self, t1_ms: float, t2_ms: float, density: float = 1.0) -> float:
        """Returns the signal of a tissue, 1 where it neither decays nor is saturated and its density is 1."""
        recovering = np.exp(-self.repetition_ms / t1_ms)
        driven_back = np.exp(-ECHO_TRAIN * _ECHO_SPACING_MS / t2_ms) if self.restored else 0.0
        return float(density * (1 - recovering) / (1 - recovering * driven_back) * np.exp(-self.echo_ms / t2_ms))


def draw_signals(
    rng: np.random.Generator, sequence: SpinEchoSequence
) -> tuple[dict[Tissue, float], dict[Tissue, float]]:
    """Draws the signals of one subject's tissues: of their water, and of their fat before it is suppressed."""
    water = {}
    for tissue, (t1_ms, t2_ms, density) in _WATER.items():
        t1_spread, t2_spread = np.exp(rng.normal(0, (_T1_SPREAD, _T2_SPREAD)))
        water[tissue] = sequence.signal(t1_ms * t1_spread, t2_ms * t2_spread, density)
    water[Tissue.LIVER] *= 1 - draw_liver_fat_percent(rng) / 100
    water[Tissue.CORTICAL_BONE] = _BONE_SIGNAL
    water[Tissue.LEFT_CORTEX] = water[Tissue.RIGHT_CORTEX]
    water[Tissue.LEFT_MEDULLA] = water[Tissue.RIGHT_MEDULLA]
    # Blood that flows leaves the slice between two pulses.
    for vessels, (least, most) in ((_ARTERIES, (0.05, 0.4)), (_VEINS, (0.1, 0.6))):
        kept = rng.uniform(least, most)
        for tissue in vessels:
            water[tissue] *= kept
    return water, {tissue: sequence.signal(*_FAT_MS, density) for tissue, density in _FAT.items()}
