"""What each convention makes of one pair of masks: the tables of docs/evaluation-protocols.md.

Run: python benchmarks/conventions.py
The pair is made of whole numbers: an organ that two borders of the volume cut off, and a prediction that ends two slices early,
lies a little aside and has a stray block far away. A test holds the document to what this prints, and this to brute force.
"""

import numpy as np

from attent_tf.metrics.overlap import dice
from attent_tf.metrics.surface import hd95, surface_dice
from attent_tf.metrics.surface_distances import SurfaceDistances, surface_distances
from attent_tf.metrics.surface_elements import surface_dice_by_area
from attent_tf.metrics.surface_voxels import OUTSIDE

SPACING_MM = (5.0, 1.5, 1.5)
TOLERANCE_MM = 3.0

ASSD_HEAD = (
    "measured in",
    "beyond the border",
    "neighbours",
    "pooled, voxel",
    "pooled, mm",
    "mean of directed, voxel",
    "mean of directed, mm",
    "prediction → reference, voxel",
    "prediction → reference, mm",
    "reference → prediction, voxel",
    "reference → prediction, mm",
)


def pair() -> tuple[np.ndarray, np.ndarray]:
    """Returns (prediction, reference), [slice, row, column] bool."""
    z, y, x = np.indices((12, 44, 48))
    reference = 9 * (z - 11) ** 2 + (y - 20) ** 2 + (x - 13) ** 2 < 330
    prediction = (9 * (z - 10) ** 2 + (y - 21) ** 2 + (x - 14) ** 2 < 310) & (z < 10)
    prediction[3:6, 0:8, 40:48] = True
    return prediction, reference


def assd_rows(prediction: np.ndarray, reference: np.ndarray) -> list[list[str]]:
    """One row for 3-D or slices, each border and each neighbourhood; its last eight cells are distances."""
    rows = []
    for by_slice in (False, True):
        for outside in OUTSIDE:
            for connectivity in (1, 3):
                if by_slice:
                    parts = [(p, r) for p, r in zip(prediction, reference, strict=True) if p.any() and r.any()]
                    spacing = SPACING_MM[1:]
                else:
                    parts, spacing = [(prediction, reference)], SPACING_MM
                found = [surface_distances(p, r, (None, spacing), outside, connectivity) for p, r in parts]
                values = np.mean(
                    [[value for way in zip(*map(_ways, both), strict=True) for value in way] for both in found], 0
                )
                neighbours = {(False, 1): 6, (False, 3): 26, (True, 1): 4, (True, 3): 8}[by_slice, connectivity]
                name = "each slice" if by_slice else "3-D"
                rows.append([name, outside, str(neighbours), *(f"{value:.4f}" for value in values)])
    return rows


def other_rows(prediction: np.ndarray, reference: np.ndarray) -> list[list[str]]:
    """What other names of one measure give."""
    by_slice = [dice(p, r) for p, r in zip(prediction, reference, strict=True)]
    pair_mm = (prediction, reference, SPACING_MM)
    by_voxels = surface_dice(prediction, reference, TOLERANCE_MM, SPACING_MM)
    by_area = surface_dice_by_area(prediction, reference, TOLERANCE_MM, SPACING_MM)
    return [
        ["Dice of the volume, %", f"{100 * dice(prediction, reference):.4f}"],
        ["Dice, mean over slices that show the organ, %", f"{100 * np.nanmean(by_slice):.4f}"],
        [
            "Dice, mean over all slices, empty ones counted as 100, %",
            f"{100 * np.mean(np.nan_to_num(by_slice, nan=1)):.4f}",
        ],
        ["HD95, both directions pooled, mm", f"{hd95(*pair_mm):.4f}"],
        ["HD95, larger one of the directions, mm", f"{hd95(*pair_mm, rule='max'):.4f}"],
        [f"Surface Dice at {TOLERANCE_MM:g} mm, share of voxels, %", f"{100 * by_voxels:.4f}"],
        [f"Surface Dice at {TOLERANCE_MM:g} mm, share of area, %", f"{100 * by_area:.4f}"],
    ]


def tables() -> str:
    """Returns both tables as Markdown."""
    masks = pair()
    assd = _markdown(ASSD_HEAD, assd_rows(*masks), 3)
    return assd + "\n\n" + _markdown(("measure", "value"), other_rows(*masks), 1)


def _ways(found: SurfaceDistances) -> tuple[float, ...]:
    return found.assd, found.mean_of_directed, found.asd_prediction, found.asd_reference


def _markdown(head, rows, words: int) -> str:
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


if __name__ == "__main__":
    print(tables())
