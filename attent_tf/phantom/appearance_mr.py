"""A T2-SPIR scan of the phantom: T2-weighted spin echoes with fat suppression, as CHAOS's scans are."""

import numpy as np

from attent_tf.phantom.fields import SmoothField
from attent_tf.phantom.scanner import ScanGrid, blurred, correlated_noise, slice_average
from attent_tf.phantom.spin_echo import SpinEchoSequence, draw_signals
from attent_tf.phantom.tissues import Tissue, table

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
_SUPPRESSION_MM, _SUPPRESSION_SPREAD = 90.0, 0.25
_COIL_MM = 100.0
_MATRIX_PIXELS = 0.5
_LARGEST = 4095


def appearance_mr_t2spir(
    tissues: np.ndarray, grid: ScanGrid, rng: np.random.Generator, sequence: SpinEchoSequence | None = None
) -> np.ndarray:
    """Returns a T2-SPIR scan of the phantom.

    Args:
      tissues: [2 * slice + 1, row, column] uint8, at the half steps of `grid`.
      grid: the scan's grid.
      rng: source of the subject's contrast, the fields, the texture, the noise and the scanner's scale.
      sequence: its times; drawn if None.

    Returns:
      [slice, row, column] uint16 in 0...4095, in arbitrary units.
    """
    water, fat = draw_signals(rng, sequence or SpinEchoSequence.draw(rng))
    axes = (grid.z_mm, grid.y_mm, grid.x_mm)
    remaining = SmoothField(rng, _SUPPRESSION_MM, _SUPPRESSION_SPREAD)(*axes)
    np.exp(remaining, out=remaining)
    remaining *= np.float32(rng.uniform(0.08, 0.30))

    image = slice_average(table(fat)[tissues])
    image *= remaining
    image += slice_average(table(water)[tissues])
    texture = correlated_noise(rng, image.shape, _TEXTURE_MM / grid.pixel_mm, 1.0)
    image *= 1 + texture * table(_TEXTURE)[tissues[1::2]]
    bias = SmoothField(rng, 130.0, rng.uniform(0.10, 0.18))(*axes)
    image *= np.exp(bias, out=bias)
    image *= _coil_shading(rng, grid.y_mm)[:, None]
    image = blurred(image, rng.uniform(0.6, 0.8))
    noise = rng.uniform(0.04, 0.10) * water[Tissue.LIVER]
    image += correlated_noise(rng, image.shape, _MATRIX_PIXELS, noise)
    magnitude = np.hypot(image, correlated_noise(rng, image.shape, _MATRIX_PIXELS, noise))
    return np.clip(np.rint(magnitude * rng.uniform(600, 2400)), 0, _LARGEST).astype(np.uint16)


def _coil_shading(rng: np.random.Generator, y_mm: np.ndarray) -> np.ndarray:
    """Draws how much brighter rows [row] (float32) are towards the coils in front of and behind the patient."""
    strength = rng.uniform(0, 0.5)
    front, back = strength * rng.uniform(0.5, 1.0, 2)
    toward = np.clip(y_mm / _COIL_MM, -1, 1)
    return (1 + np.where(toward > 0, front, back) * toward**2).astype(np.float32)
