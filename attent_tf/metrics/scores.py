"""Scores of the label maps of one case: all metrics of all structures in one pass over the volume."""

from collections.abc import Iterator, Sequence

import numpy as np

from attent_tf.errors import InputError
from attent_tf.metrics.boxes import boxes_of_classes
from attent_tf.metrics.overlap import check_shapes, dice, volume_difference_ml
from attent_tf.metrics.surface_distances import surface_distances
from attent_tf.metrics.voxel_axes import Spacing, in_plane

# In this order they stand in files. Dice and surface Dice are in percent; `volume_difference_ml` has a sign.
METRICS = (
    "dice",
    "assd_voxel",
    "assd_mm",
    "asd_prediction_mm",
    "asd_reference_mm",
    "hd95_mm",
    "surface_dice",
    "volume_difference_ml",
)

# Of surface Dice: a surface that is off by one pixel of the default grid (1.6 mm), or by one across a corner, is no fault.
TOLERANCE_MM = 3.0

Score = dict[str, dict[str, float]]


def score_case(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Spacing,
    structures: Sequence[str],
    outside: str = "background",
    connectivity: int = 1,
    tolerance_mm: float = TOLERANCE_MM,
) -> Score:
    """Scores one volume in three dimensions (Eq. 9 and 10).

    Args:
      prediction: [slice, row, column] class indices.
      reference: [slice, row, column] class indices.
      spacing_mm: spacing of voxels in millimetres, see `voxel_axes.Spacing`.
      structures: names of the classes from 1.
      outside: what lies beyond the border of the volume: `background` or `object`.
      connectivity: which neighbours make a surface voxel, see `surface_voxels`.
      tolerance_mm: tolerance of surface Dice in millimetres.

    Returns:
      For each structure the `METRICS`: `dice` in percent; `assd_voxel` and `assd_mm`, pooled; `asd_prediction_mm` from the
      predicted surface to the reference, `asd_reference_mm` the other way; `hd95_mm`, pooled; `surface_dice` in percent
      of the surface voxels; `volume_difference_ml`, prediction minus reference. A structure that is in neither map has NaN
      throughout; one that is in only one has Dice 0, surface Dice 0 and infinite distances.

    Raises:
      InputError: the shapes differ, a class index is unknown, or the spacing or a convention cannot be used.
    """
    prediction, reference = _checked_maps(prediction, reference, structures)
    scores = {}
    for name, predicted, expected in _masks(prediction, reference, structures):
        in_voxels, in_mm = surface_distances(predicted, expected, (None, spacing_mm), outside, connectivity)
        scores[name] = {
            "dice": 100.0 * dice(predicted, expected),
            "assd_voxel": in_voxels.assd,
            "assd_mm": in_mm.assd,
            "asd_prediction_mm": in_mm.asd_prediction,
            "asd_reference_mm": in_mm.asd_reference,
            "hd95_mm": in_mm.percentile(95.0),
            "surface_dice": 100.0 * in_mm.within(tolerance_mm),
            "volume_difference_ml": volume_difference_ml(predicted, expected, spacing_mm),
        }
    return scores


def score_slices(
    prediction: np.ndarray, reference: np.ndarray, spacing_mm: Spacing, structures: Sequence[str]
) -> list[Score]:
    """Scores each slice by itself, as the code released with the paper does.

    A structure that is in neither map of a slice has Dice 100 there. Distances run from the predicted outline to the
    reference outline only; they are NaN in slices where either is missing.

    Args:
      prediction: [slice, row, column] class indices.
      reference: [slice, row, column] class indices.
      spacing_mm: spacing of voxels in millimetres, see `voxel_axes.Spacing`.
      structures: names of the classes from 1.

    Returns:
      One score for each slice, with the keys of `score_case`; voxels are pixels here, `assd_mm` and `asd_prediction_mm`
      are the same, and what the released code does not measure is NaN.

    Raises:
      InputError: the shapes differ, a class index is unknown, or `spacing_mm` cannot be used.
    """
    prediction, reference = _checked_maps(prediction, reference, structures)
    return [_score_slice(p, r, spacing_mm, structures) for p, r in zip(prediction, reference, strict=True)]


def check_labels(name: str, labels: np.ndarray, num_classes: int) -> None:
    """Checks that an array is [slice, row, column] class indices.

    Args:
      name: its name in messages.
      labels: the array.
      num_classes: C, with the background.

    Raises:
      InputError: it does not hold class indices; the message begins with `name`.
    """
    labels = np.asarray(labels)
    if labels.ndim != 3:
        raise InputError(f"{name}: expected class indices [slice, row, column], found shape {labels.shape}")
    # Looking for the least and the greatest takes a small part of the time that listing all values takes.
    if labels.dtype.kind in "iu" and (not labels.size or (labels.min() >= 0 and labels.max() < num_classes)):
        return
    unknown = sorted(set(np.unique(labels).tolist()) - set(range(num_classes)))
    if unknown:
        raise InputError(
            f"{name}: expected class indices 0 to {num_classes - 1}, found {unknown[0]}; map the labels first"
        )


def _checked_maps(
    prediction: np.ndarray, reference: np.ndarray, structures: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    check_labels("prediction", prediction, len(structures) + 1)
    check_labels("reference", reference, len(structures) + 1)
    check_shapes(prediction, reference)
    return prediction, reference


def _masks(
    prediction: np.ndarray, reference: np.ndarray, structures: Sequence[str]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, prediction and reference of each structure, both as bool in the box around them."""
    boxes = boxes_of_classes(prediction, reference, len(structures) + 1)
    for index, (name, box) in enumerate(zip(structures, boxes, strict=True), start=1):
        yield name, prediction[box] == index, reference[box] == index


def _score_slice(
    prediction: np.ndarray, reference: np.ndarray, spacing_mm: Spacing, structures: Sequence[str]
) -> Score:
    scores = {}
    for name, predicted, expected in _masks(prediction, reference, structures):
        score = dict.fromkeys(METRICS, float("nan"))
        in_pixels, in_mm = surface_distances(predicted, expected, (None, in_plane(spacing_mm)))
        score["dice"] = 100.0 * dice(predicted, expected) if predicted.any() or expected.any() else 100.0
        if predicted.any() and expected.any():
            score["assd_voxel"] = in_pixels.asd_prediction
            score["assd_mm"] = score["asd_prediction_mm"] = in_mm.asd_prediction
        scores[name] = score
    return scores
