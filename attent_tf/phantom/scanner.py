"""How a scanner samples the phantom: its grid, partial volume across slices, and blur within them."""

import dataclasses

import numpy as np
import scipy.ndimage

from attent_tf.phantom.anatomy import Anatomy
from attent_tf.phantom.tissues import ORGAN_TISSUES, Tissue

_ISLAND_SHARE = 0.03


@dataclasses.dataclass(frozen=True)
class ScanGrid:
    """A grid of slices in the patient, and where the scanner thinks it is.

    Attributes:
      z_mm, y_mm, x_mm: patient coordinates of slices (rising), rows (falling) and columns (falling): axis codes `SPL`.
      to_scanner: [4, 4] patient to scanner millimetres (RAS+): a rotation, where the slices are oblique, and a shift.
    """

    z_mm: np.ndarray
    y_mm: np.ndarray
    x_mm: np.ndarray
    to_scanner: np.ndarray

    @classmethod
    def centred(
        cls, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], centre_mm, to_scanner: np.ndarray
    ) -> "ScanGrid":
        """Returns the grid of `shape` and `spacing_mm` (both slice, row, column) around (x, y, z)."""
        axes = [
            centre + sign * (np.arange(count) - (count - 1) / 2) * step
            for count, step, centre, sign in zip(shape, spacing_mm, centre_mm[::-1], (1, -1, -1), strict=True)
        ]
        return cls(*axes, to_scanner)

    @property
    def pixel_mm(self) -> float:
        return float(abs(self.x_mm[1] - self.x_mm[0]))

    @property
    def affine(self) -> np.ndarray:
        """[4, 4] index (slice, row, column, 1) to scanner millimetres (RAS+)."""
        index_to_patient = np.eye(4)
        index_to_patient[:3, :3] = 0
        for axis, positions in enumerate((self.z_mm, self.y_mm, self.x_mm)):
            index_to_patient[2 - axis, axis] = positions[1] - positions[0]
            index_to_patient[2 - axis, 3] = positions[0]
        return self.to_scanner @ index_to_patient

    def half_steps_mm(self) -> np.ndarray:
        """Heights z of the slices' centres (odd entries) and of the borders between them (even entries)."""
        step = self.z_mm[1] - self.z_mm[0]
        return self.z_mm[0] + (np.arange(2 * len(self.z_mm) + 1) - 1) * (step / 2)

    def paint(self, anatomy: Anatomy) -> np.ndarray:
        """Returns tissues (uint8) [2 * slice + 1, row, column] at `half_steps_mm`, each organ in one piece."""
        tissues = anatomy.paint(self.half_steps_mm(), self.y_mm, self.x_mm)
        for organ in ORGAN_TISSUES:
            drop_islands(tissues, organ)
        return tissues


def drop_islands(tissues: np.ndarray, organ: tuple[Tissue, ...]) -> None:
    """Turns small pieces of an organ that do not touch its main body into fat, in place.

    Args:
      tissues: [slice, row, column] uint8.
      organ: its tissues.
    """
    member = np.zeros(len(Tissue), bool)
    member[list(organ)] = True
    mask = member[tissues]
    box = scipy.ndimage.find_objects(mask.view(np.uint8))
    if not box:
        return
    pieces, count = scipy.ndimage.label(mask[box[0]])
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    small = np.concatenate([[False], sizes < _ISLAND_SHARE * sizes.sum()])
    tissues[box[0]][small[pieces]] = Tissue.VISCERAL_FAT


def slice_centres(tissues: np.ndarray) -> np.ndarray:
    """Returns the tissues at the slices' centres [slice, row, column] of half-step tissues."""
    return tissues[1::2]


def slice_average(values: np.ndarray) -> np.ndarray:
    """Returns [slice, row, column] values under a triangular slice profile, of values at half steps."""
    average = 0.5 * values[1::2]
    average += 0.25 * values[:-1:2]
    average += 0.25 * values[2::2]
    return average


def blurred(image: np.ndarray, sigma_pixels: float) -> np.ndarray:
    """Returns [slice, row, column] `image` blurred within its slices: the scanner's point spread."""
    return scipy.ndimage.gaussian_filter(image, (0, sigma_pixels, sigma_pixels), mode="nearest", truncate=3.0)


def correlated_noise(
    rng: np.random.Generator, shape: tuple[int, ...], sigma_pixels: float, deviation: float
) -> np.ndarray:
    """Returns normal noise (float32) [slice, row, column], smooth within slices, of the given standard deviation."""
    noise = blurred(rng.standard_normal(shape, np.float32), sigma_pixels)
    noise *= np.float32(deviation / noise.std())
    return noise


def band_pass_noise(
    rng: np.random.Generator, shape: tuple[int, ...], sigmas_pixels: tuple[float, float], deviation: float
) -> np.ndarray:
    """Returns normal noise (float32) [slice, row, column] without the lowest frequencies of a slice, as reconstruction
    by filtered projections leaves it.

    Args:
      rng: source of the noise.
      shape: the shape of the result.
      sigmas_pixels: the sigmas of the narrow and of the wide Gaussian whose difference is the filter.
      deviation: standard deviation of the noise.
    """
    narrow, wide = sigmas_pixels
    noise = blurred(rng.standard_normal(shape, np.float32), narrow)
    # Gaussians of a Gaussian add their variances.
    noise -= blurred(noise, np.sqrt(wide**2 - narrow**2))
    noise *= np.float32(deviation / noise.std())
    return noise
