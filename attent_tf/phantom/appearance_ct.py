"""A CT scan of the phantom, with or without contrast medium."""

import numpy as np

from attent_tf.phantom.contrast_phase import Phase, draw_hounsfield, draw_phase
from attent_tf.phantom.scanner import ScanGrid, band_pass_noise, blurred, correlated_noise, slice_average
from attent_tf.phantom.tissues import Tissue, table

_TEXTURE_HU = {
    Tissue.LIVER: 5.0,
    Tissue.SPLEEN: 4.0,
    Tissue.MUSCLE: 14.0,
    Tissue.SUBCUTANEOUS_FAT: 7.0,
    Tissue.VISCERAL_FAT: 12.0,
    Tissue.MARROW: 45.0,
    Tissue.LUNG: 45.0,
    Tissue.PANCREAS: 14.0,
    Tissue.STOOL: 90.0,
    Tissue.STOMACH_FLUID: 12.0,
    Tissue.BOWEL_FLUID: 8.0,
    Tissue.HEART: 9.0,
}
# Muscle between lean and fatty, fat between smooth and stranded.
_TEXTURE_OF_SUBJECT = (Tissue.MUSCLE, Tissue.SUBCUTANEOUS_FAT, Tissue.VISCERAL_FAT)
_MOTTLED_SPLEEN_HU = 25.0
_TEXTURE_MM = 2.4
_NOISE_HU, _NOISE_SPREAD = 12.0, 0.3
_NOISE_BAND_PIXELS = (0.65, 1.6)
_LOWEST_HU, _HIGHEST_HU = -1024, 3071


def appearance_ct(
    tissues: np.ndarray, grid: ScanGrid, rng: np.random.Generator, phase: Phase | None = None
) -> np.ndarray:
    """Returns a CT scan of the phantom.

    Args:
      tissues: [2 * slice + 1, row, column] uint8, at the half steps of `grid`.
      grid: the scan's grid.
      rng: source of the subject's contrast, the texture and the noise.
      phase: the phase of the contrast medium; drawn if None.

    Returns:
      [slice, row, column] int16 Hounsfield units.
    """
    phase = draw_phase(rng) if phase is None else phase
    image = slice_average(table(draw_hounsfield(rng, phase))[tissues])
    image += (
        correlated_noise(rng, image.shape, _TEXTURE_MM / grid.pixel_mm, 1.0) * _draw_texture(rng, phase)[tissues[1::2]]
    )
    image = blurred(image, rng.uniform(0.55, 0.75))
    noise_hu = _NOISE_HU * np.exp(rng.normal(0, _NOISE_SPREAD))
    image += band_pass_noise(rng, image.shape, _NOISE_BAND_PIXELS, noise_hu)
    return np.clip(np.rint(image), _LOWEST_HU, _HIGHEST_HU).astype(np.int16)


def _draw_texture(rng: np.random.Generator, phase: Phase) -> np.ndarray:
    """Draws the standard deviation (HU) of each tissue's texture."""
    texture = dict(_TEXTURE_HU)
    factor = rng.uniform(0.6, 1.4)
    for tissue in _TEXTURE_OF_SUBJECT:
        texture[tissue] *= factor
    if phase == Phase.LATE_ARTERIAL:
        texture[Tissue.SPLEEN] = _MOTTLED_SPLEEN_HU
    return table(texture)
