"""CT numbers of the phantom: contrast-enhanced, portal venous phase, as MALBCV's scans are.

Mean attenuation of each tissue follows textbook values for 120 kV; subjects vary around them.
"""

import numpy as np

from attent_tf.phantom.scanner import ScanGrid, blurred, correlated_noise, slice_average
from attent_tf.phantom.tissues import Tissue, table

# tissue -> (mean HU, standard deviation between subjects)
_HU = {
    Tissue.OUTSIDE: (-1000, 0),
    Tissue.TABLE: (-120, 30),
    Tissue.SKIN: (30, 10),
    Tissue.SUBCUTANEOUS_FAT: (-106, 5),
    Tissue.VISCERAL_FAT: (-98, 6),
    Tissue.MUSCLE: (58, 6),
    Tissue.CORTICAL_BONE: (620, 80),
    Tissue.MARROW: (210, 40),
    Tissue.DISC: (90, 10),
    Tissue.SPINAL_FLUID: (22, 5),
    Tissue.SPINAL_CORD: (42, 5),
    Tissue.LUNG: (-830, 30),
    Tissue.HEART: (138, 14),
    Tissue.AORTA: (152, 16),
    Tissue.VENA_CAVA: (136, 16),
    Tissue.PORTAL_VEIN: (162, 15),
    Tissue.OTHER_VESSEL: (140, 15),
    Tissue.LIVER: (108, 11),
    Tissue.LIVER_VESSEL: (152, 13),
    Tissue.GALLBLADDER_WALL: (60, 10),
    Tissue.BILE: (9, 5),
    Tissue.SPLEEN: (121, 9),
    Tissue.RIGHT_CORTEX: (190, 16),
    Tissue.RIGHT_MEDULLA: (148, 16),
    Tissue.RENAL_PELVIS: (14, 8),
    Tissue.PANCREAS: (92, 10),
    Tissue.OESOPHAGUS: (62, 8),
    Tissue.STOMACH_WALL: (78, 10),
    Tissue.STOMACH_FLUID: (16, 9),
    Tissue.STOMACH_GAS: (-980, 5),
    Tissue.BOWEL_WALL: (82, 10),
    Tissue.BOWEL_FLUID: (20, 10),
    Tissue.BOWEL_GAS: (-980, 5),
    Tissue.STOOL: (-10, 25),
}
_TEXTURE = {
    Tissue.LIVER: 5.0,
    Tissue.SPLEEN: 4.0,
    Tissue.MUSCLE: 9.0,
    Tissue.SUBCUTANEOUS_FAT: 5.0,
    Tissue.VISCERAL_FAT: 9.0,
    Tissue.MARROW: 45.0,
    Tissue.LUNG: 45.0,
    Tissue.PANCREAS: 14.0,
    Tissue.STOOL: 90.0,
    Tissue.STOMACH_FLUID: 12.0,
    Tissue.BOWEL_FLUID: 8.0,
    Tissue.HEART: 9.0,
}
_LOWEST_HU, _HIGHEST_HU = -1024, 3071
_TEXTURE_MM = 2.4
_ORAL_CONTRAST_SHARE = 0.3


def appearance_ct(tissues: np.ndarray, grid: ScanGrid, rng: np.random.Generator) -> np.ndarray:
    """Returns a CT scan of the phantom.

    Args:
      tissues: [2 * slice + 1, row, column] uint8, at the half steps of `grid`.
      grid: the scan's grid.
      rng: source of the subject's contrast, the texture and the noise.

    Returns:
      [slice, row, column] int16 Hounsfield units.
    """
    means = {tissue: rng.normal(mean, spread) for tissue, (mean, spread) in _HU.items()}
    means[Tissue.LEFT_CORTEX] = means[Tissue.RIGHT_CORTEX]
    means[Tissue.LEFT_MEDULLA] = means[Tissue.RIGHT_MEDULLA]
    if rng.random() < _ORAL_CONTRAST_SHARE:
        means[Tissue.STOMACH_FLUID] = rng.uniform(120, 260)
        means[Tissue.BOWEL_FLUID] = rng.uniform(150, 300)

    image = slice_average(table(means)[tissues])
    texture = correlated_noise(rng, image.shape, _TEXTURE_MM / grid.pixel_mm, 1.0)
    image += texture * table(_TEXTURE)[tissues[1::2]]
    image = blurred(image, rng.uniform(0.55, 0.75))
    image += correlated_noise(rng, image.shape, 0.8, rng.uniform(12, 18))
    return np.clip(np.rint(image), _LOWEST_HU, _HIGHEST_HU).astype(np.int16)
