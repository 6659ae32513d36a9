"""What signs are made of: counts over label maps that add up case by case."""

import dataclasses

import numpy as np
from scipy import ndimage

from attent_tf.organs import NUM_CLASSES


@dataclasses.dataclass(frozen=True)
class OrganCounts:
    """How much label maps show of each organ.

    Attributes:
      pixels: [classes] number of pixels of each class.
      slices: number of slices.
      without_organ: number of slices that show background alone.
    """

    pixels: np.ndarray
    slices: int
    without_organ: int

    def __add__(self, other: "OrganCounts") -> "OrganCounts":
        return OrganCounts(
            self.pixels + other.pixels, self.slices + other.slices, self.without_organ + other.without_organ
        )

    @property
    def shares(self) -> np.ndarray:
        """[organs] share of each organ among all pixels."""
        return self.pixels[1:] / max(self.pixels.sum(), 1)

    @property
    def share_without_organ(self) -> float:
        """Share of the slices that show background alone."""
        return self.without_organ / max(self.slices, 1)


NO_ORGANS = OrganCounts(np.zeros(NUM_CLASSES, np.int64), 0, 0)
NO_OVERLAP = np.zeros((NUM_CLASSES - 1, 2), np.int64)


def count_organs(labels: np.ndarray) -> OrganCounts:
    """Counts what `labels` [slice, row, column], class indices, show."""
    pixels = np.bincount(labels.ravel(), minlength=NUM_CLASSES).astype(np.int64)
    return OrganCounts(pixels, len(labels), int(np.count_nonzero(~labels.any(axis=(1, 2)))))


def count_overlap(one: np.ndarray, other: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
    """Counts what two label maps have in common.

    Args:
      one, other: [slice, row, column] class indices.
      inside: [row, column] bool, the pixels that count; None for all.

    Returns:
      [organs, 2] int64: pixels that both call the organ, and the sum of those that either calls so.
    """
    if inside is not None:
        one, other = one[:, inside], other[:, inside]
    counts = []
    for index in range(1, NUM_CLASSES):
        first, second = one == index, other == index
        counts.append((np.count_nonzero(first & second), np.count_nonzero(first) + np.count_nonzero(second)))
    return np.array(counts, np.int64)


def mean_dice(overlap: np.ndarray) -> float:
    """Mean Dice over the organs that either map shows; 0 where neither shows any.

    Args:
      overlap: [organs, 2] from `count_overlap`, or a sum of such.
    """
    shown = overlap[overlap[:, 1] > 0]
    return float(np.mean(2 * shown[:, 0] / shown[:, 1])) if len(shown) else 0.0


def main_part_shares(labels: np.ndarray) -> np.ndarray:
    """Share of each organ that its largest part holds, where parts hang together across faces of voxels.

    Args:
      labels: [slice, row, column] class indices.

    Returns:
      [organs] float64; NaN for an organ that the map does not show.
    """
    shares = np.full(NUM_CLASSES - 1, np.nan)
    for place, box in enumerate(ndimage.find_objects(labels, max_label=NUM_CLASSES - 1)):
        if box is not None:
            parts, _ = ndimage.label(labels[box] == place + 1)
            sizes = np.bincount(parts.ravel())[1:]
            shares[place] = sizes.max() / sizes.sum()
    return shares


def sum_on_foreground(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns [2] float64: the sum of `values` where `labels`, of the same shape, show an organ, and the number of pixels."""
    foreground = labels > 0
    return np.array([values[foreground].sum(dtype=np.float64), np.count_nonzero(foreground)])
