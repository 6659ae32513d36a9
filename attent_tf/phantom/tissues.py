"""The tissues of the phantom, and the labels that annotators of each data set would give them."""

import enum

import numpy as np


class Tissue(enum.IntEnum):
    """What fills a point of the phantom; values index the appearance and label tables."""

    OUTSIDE = 0
    TABLE = enum.auto()
    SKIN = enum.auto()
    SUBCUTANEOUS_FAT = enum.auto()
    VISCERAL_FAT = enum.auto()
    MUSCLE = enum.auto()
    CORTICAL_BONE = enum.auto()
    MARROW = enum.auto()
    DISC = enum.auto()
    SPINAL_FLUID = enum.auto()
    SPINAL_CORD = enum.auto()
    LUNG = enum.auto()
    HEART = enum.auto()
    AORTA = enum.auto()
    VENA_CAVA = enum.auto()
    PORTAL_VEIN = enum.auto()
    OTHER_VESSEL = enum.auto()
    LIVER = enum.auto()
    LIVER_VESSEL = enum.auto()
    GALLBLADDER_WALL = enum.auto()
    BILE = enum.auto()
    SPLEEN = enum.auto()
    RIGHT_CORTEX = enum.auto()
    RIGHT_MEDULLA = enum.auto()
    LEFT_CORTEX = enum.auto()
    LEFT_MEDULLA = enum.auto()
    RENAL_PELVIS = enum.auto()
    PANCREAS = enum.auto()
    OESOPHAGUS = enum.auto()
    STOMACH_WALL = enum.auto()
    STOMACH_FLUID = enum.auto()
    STOMACH_GAS = enum.auto()
    BOWEL_WALL = enum.auto()
    BOWEL_FLUID = enum.auto()
    BOWEL_GAS = enum.auto()
    STOOL = enum.auto()


# MALBCV numbers its labels 1...13; the phantom has no adrenal glands (12 and 13).
_MALBCV = {
    Tissue.SPLEEN: 1,
    Tissue.RIGHT_CORTEX: 2,
    Tissue.RIGHT_MEDULLA: 2,
    Tissue.LEFT_CORTEX: 3,
    Tissue.LEFT_MEDULLA: 3,
    Tissue.GALLBLADDER_WALL: 4,
    Tissue.BILE: 4,
    Tissue.OESOPHAGUS: 5,
    Tissue.LIVER: 6,
    Tissue.LIVER_VESSEL: 6,
    Tissue.STOMACH_WALL: 7,
    Tissue.STOMACH_FLUID: 7,
    Tissue.STOMACH_GAS: 7,
    Tissue.AORTA: 8,
    Tissue.VENA_CAVA: 9,
    Tissue.PORTAL_VEIN: 10,
    Tissue.PANCREAS: 11,
}

# CHAOS paints its labels as grey values of PNG files.
_CHAOS = {
    Tissue.LIVER: 63,
    Tissue.LIVER_VESSEL: 63,
    Tissue.RIGHT_CORTEX: 126,
    Tissue.RIGHT_MEDULLA: 126,
    Tissue.LEFT_CORTEX: 189,
    Tissue.LEFT_MEDULLA: 189,
    Tissue.SPLEEN: 252,
}

# The organs of the task `abdomen`, in its order; each is kept in one piece.
ORGAN_TISSUES = (
    (Tissue.LIVER, Tissue.LIVER_VESSEL),
    (Tissue.RIGHT_CORTEX, Tissue.RIGHT_MEDULLA),
    (Tissue.LEFT_CORTEX, Tissue.LEFT_MEDULLA),
    (Tissue.SPLEEN,),
)


def table(values: dict[Tissue, float], dtype: type = np.float32) -> np.ndarray:
    """Returns `values` as an array indexed by tissue; tissues that are not named get 0."""
    entries = np.zeros(len(Tissue), dtype)
    for tissue, value in values.items():
        entries[tissue] = value
    return entries


def malbcv_labels(tissues: np.ndarray) -> np.ndarray:
    """Returns MALBCV's label numbers (uint8) for an array of tissues of any shape."""
    return table(_MALBCV, np.uint8)[tissues]


def chaos_greys(tissues: np.ndarray) -> np.ndarray:
    """Returns CHAOS's grey values (uint8) for an array of tissues of any shape."""
    return table(_CHAOS, np.uint8)[tissues]
