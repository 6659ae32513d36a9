"""What signs are made of: counts over label maps that add up case by case."""

import dataclasses

import numpy as np
from scipy import ndimage


@dataclasses.dataclass(frozen=True)
class StructureCounts:
    """How much label maps show of each structure.

    Attributes:
      pixels: [classes] number of pixels of each class.
      slices: number of slices.
      empty: number of slices that show background alone.
    """

    pixels: np.ndarray
    slices: int
    empty: int

    @classmethod
    def none(cls, num_classes: int) -> "StructureCounts":
        """Returns the counts of no slice."""
        return cls(np.zeros(num_classes, np.int64), 0, 0)

    def __add__(self, other: "StructureCounts") -> "StructureCounts":
        return StructureCounts(self.pixels + other.pixels, self.slices + other.slices, self.empty + other.empty)

    @property
    def shares(self) -> np.ndarray:
        """[structures] share of each structure among all pixels."""
        return self.pixels[1:] / max(self.pixels.sum(), 1)

    @property
    def share_empty(self) -> float:
        """Share of the slices that show background alone."""
        return self.empty / max(self.slices, 1)


def count_structures(labels: np.ndarray, num_classes: int) -> StructureCounts:
    """Counts what `labels` [slice, row, column], class indices below `num_classes`, show."""
    pixels = np.bincount(labels.ravel(), minlength=num_classes).astype(np.int64)
    return StructureCounts(pixels, len(labels), int(np.count_nonzero(~labels.any(axis=(1, 2)))))


def share_distance(shares: np.ndarray, source_shares: np.ndarray) -> float:
    """Mean |ln(share / share in the source)| over the structures that the source shows; 0 is the source's own proportions.

    Args:
      shares: [structures] of the target, as predicted (`StructureCounts.shares`); less than a thousandth of the source's
        counts as a thousandth.
      source_shares: [structures] of the source's labels.
    """
    shown = source_shares > 0
    ratios = np.maximum(shares[shown] / source_shares[shown], 1e-3)
    return float(np.mean(np.abs(np.log(ratios)))) if shown.any() else 0.0


def no_overlap(num_classes: int) -> np.ndarray:
    """Returns what `count_overlap` does of no slice."""
    return np.zeros((num_classes - 1, 2), np.int64)


def count_overlap(
    first: np.ndarray, second: np.ndarray, num_classes: int, inside: np.ndarray | None = None
) -> np.ndarray:
    """Counts what two label maps have in common.

    Args:
      first, second: [slice, row, column] class indices.
      num_classes: C, with the background.
      inside: [row, column] bool, the pixels that count; None for all.

    Returns:
      [structures, 2] int64: pixels that both call the structure, and the sum of those that either calls so.
    """
    if inside is not None:
        first, second = first[:, inside], second[:, inside]
    counts = []
    for index in range(1, num_classes):
        in_first, in_second = first == index, second == index
        counts.append(
            (np.count_nonzero(in_first & in_second), np.count_nonzero(in_first) + np.count_nonzero(in_second))
        )
    return np.array(counts, np.int64)


def mean_dice(overlap: np.ndarray) -> float:
    """Mean Dice over the structures that either map shows; 0 where neither shows any.

    Args:
      overlap: [structures, 2] from `count_overlap`, or a sum of such.
    """
    shown = overlap[overlap[:, 1] > 0]
    return float(np.mean(2 * shown[:, 0] / shown[:, 1])) if len(shown) else 0.0


def main_part_shares(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Share of each structure that its largest part holds, where parts hang together across faces of voxels.

    Args:
      labels: [slice, row, column] class indices.
      num_classes: C, with the background.

    Returns:
      [structures] float64; NaN for one that the map does not show.
    """
    shares = np.full(num_classes - 1, np.nan)
    for place, box in enumerate(ndimage.find_objects(labels, max_label=num_classes - 1)):
        if box is not None:
            parts, _ = ndimage.label(labels[box] == place + 1)
            sizes = np.bincount(parts.ravel())[1:]
            shares[place] = sizes.max() / sizes.sum()
    return shares


def sum_on_foreground(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Returns [2] float64: the sum of `values` where `labels`, of the same shape, show a structure, and the number of pixels."""
    foreground = labels > 0
    return np.array([values[foreground].sum(dtype=np.float64), np.count_nonzero(foreground)])
