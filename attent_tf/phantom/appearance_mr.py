"""T2-SPIR signal of the phantom: T2-weighted spin echoes with fat suppression, as CHAOS's scans are.

Relative signal follows from T2 and water content at 1.5 T: free fluid is brightest, then kidney and spleen; the liver
is medium-dark, muscle dark, suppressed fat darker, and flowing blood void.
"""

import numpy as np

from attent_tf.phantom.fields import SmoothField
from attent_tf.phantom.scanner import ScanGrid, blurred, correlated_noise, slice_average
from attent_tf.phantom.tissues import Tissue, table

# tissue -> signal relative to free fluid
_SIGNAL = {
    Tissue.SKIN: 0.10,
    Tissue.SUBCUTANEOUS_FAT: 0.085,
    Tissue.VISCERAL_FAT: 0.075,
    Tissue.MUSCLE: 0.115,
    Tissue.CORTICAL_BONE: 0.02,
    Tissue.MARROW: 0.10,
    Tissue.DISC: 0.26,
    Tissue.SPINAL_FLUID: 1.0,
    Tissue.SPINAL_CORD: 0.36,
    Tissue.LUNG: 0.02,
    Tissue.HEART: 0.11,
    Tissue.AORTA: 0.04,
    Tissue.VENA_CAVA: 0.07,
    Tissue.PORTAL_VEIN: 0.08,
    Tissue.OTHER_VESSEL: 0.06,
    Tissue.LIVER: 0.20,
    Tissue.LIVER_VESSEL: 0.08,
    Tissue.GALLBLADDER_WALL: 0.24,
    Tissue.BILE: 0.95,
    Tissue.SPLEEN: 0.40,
    Tissue.RIGHT_CORTEX: 0.45,
    Tissue.RIGHT_MEDULLA: 0.53,
    Tissue.RENAL_PELVIS: 0.95,
    Tissue.PANCREAS: 0.25,
    Tissue.OESOPHAGUS: 0.20,
    Tissue.STOMACH_WALL: 0.22,
    Tissue.STOMACH_FLUID: 0.80,
    Tissue.BOWEL_WALL: 0.24,
    Tissue.BOWEL_FLUID: 0.75,
    Tissue.STOOL: 0.28,
}
_VARIATION = 0.10
# Texture as a share of the tissue's own signal.
_TEXTURE = {
    Tissue.LIVER: 0.05,
    Tissue.SPLEEN: 0.04,
    Tissue.RIGHT_CORTEX: 0.04,
    Tissue.LEFT_CORTEX: 0.04,
    Tissue.MUSCLE: 0.12,
    Tissue.SUBCUTANEOUS_FAT: 0.25,
    Tissue.VISCERAL_FAT: 0.25,
    Tissue.PANCREAS: 0.12,
    Tissue.STOMACH_FLUID: 0.12,
    Tissue.BOWEL_FLUID: 0.10,
    Tissue.STOOL: 0.40,
    Tissue.DISC: 0.3,
    Tissue.MARROW: 0.2,
}
_TEXTURE_MM = 2.4
_LARGEST = 4095


def appearance_mr_t2spir(tissues: np.ndarray, grid: ScanGrid, rng: np.random.Generator) -> np.ndarray:
    """Returns a T2-SPIR scan of the phantom.

    Args:
      tissues: [2 * slice + 1, row, column] uint8, at the half steps of `grid`.
      grid: the scan's grid.
      rng: source of the subject's contrast, the bias field, the texture, the noise and the scanner's scale.

    Returns:
      [slice, row, column] uint16 in 0...4095, in arbitrary units.
    """
    signal = {tissue: mean * np.exp(rng.normal(0, _VARIATION)) for tissue, mean in _SIGNAL.items()}
    signal[Tissue.LEFT_CORTEX] = signal[Tissue.RIGHT_CORTEX]
    signal[Tissue.LEFT_MEDULLA] = signal[Tissue.RIGHT_MEDULLA] = signal[Tissue.RIGHT_CORTEX] * rng.uniform(1.08, 1.3)

    image = slice_average(table(signal)[tissues])
    texture = correlated_noise(rng, image.shape, _TEXTURE_MM / grid.pixel_mm, 1.0)
    image *= 1 + texture * table(_TEXTURE)[tissues[1::2]]
    bias = SmoothField(rng, 130.0, rng.uniform(0.10, 0.18))
    image *= np.exp(bias(grid.z_mm, grid.y_mm, grid.x_mm))
    image = blurred(image, rng.uniform(0.6, 0.8))
    noise = rng.uniform(0.010, 0.018)
    image += rng.standard_normal(image.shape, np.float32) * np.float32(noise)
    magnitude = np.hypot(image, rng.standard_normal(image.shape, np.float32) * np.float32(noise))
    return np.clip(np.rint(magnitude * rng.uniform(600, 2400)), 0, _LARGEST).astype(np.uint16)
