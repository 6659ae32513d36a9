"""Scores of the label maps of one case."""

from collections.abc import Sequence

import numpy as np

from attent_tf.errors import InputError
from attent_tf.metrics.overlap import as_masks, dice
from attent_tf.metrics.surface import assd_in_units, directed_mean_distance
from attent_tf.organs import CLASS_NAMES, NUM_CLASSES, ORGANS

METRICS = ("dice", "assd_voxel", "assd_mm")

Score = dict[str, dict[str, float]]


def score_case(
    prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float], outside: str = "background"
) -> Score:
    """Scores one volume in three dimensions (Eq. 9 and 10).

    Args:
      prediction: [slice, row, column] class indices.
      reference: [slice, row, column] class indices.
      spacing_mm: [slice, row, column] distance of neighbouring voxel centres, in millimetres.
      outside: what lies beyond the border of the volume: `background` or `object`.

    Returns:
      For each organ `dice` in percent, `assd_voxel` and `assd_mm`. An organ that is in neither map has NaN throughout;
      an organ that is in only one has Dice 0 and infinite distances.

    Raises:
      InputError: the shapes differ, a class index is unknown, or `spacing_mm` cannot be used.
    """
    check_labels("prediction", prediction)
    check_labels("reference", reference)
    as_masks(prediction, reference)
    scores = {}
    for organ in ORGANS:
        masks = organ_mask(prediction, organ), organ_mask(reference, organ)
        assd_voxel, assd_mm = assd_in_units(*masks, [None, spacing_mm], outside)
        scores[organ] = {"dice": 100.0 * dice(*masks), "assd_voxel": assd_voxel, "assd_mm": assd_mm}
    return scores


def score_slices(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> list[Score]:
    """Scores each slice by itself, as the code released with the paper does.

    An organ that is in neither map of a slice has Dice 100 there. Distances run from the predicted outline to the
    reference outline only; they are NaN in slices where either is missing.

    Args:
      prediction: [slice, row, column] class indices.
      reference: [slice, row, column] class indices.
      spacing_mm: [slice, row, column] distance of neighbouring voxel centres, in millimetres.

    Returns:
      One score for each slice, with the keys of `score_case`; voxels are pixels here.

    Raises:
      InputError: the shapes differ, a class index is unknown, or `spacing_mm` cannot be used.
    """
    check_labels("prediction", prediction)
    check_labels("reference", reference)
    as_masks(prediction, reference)
    return [_score_slice(p, r, spacing_mm) for p, r in zip(prediction, reference, strict=True)]


def organ_mask(labels: np.ndarray, organ: str) -> np.ndarray:
    """Returns where `labels` is `organ`, as bool of the same shape."""
    return np.asarray(labels) == CLASS_NAMES.index(organ)


def check_labels(name: str, labels: np.ndarray) -> None:
    """Checks that an array is [slice, row, column] class indices.

    Raises:
      InputError: it is not; the message begins with `name`.
    """
    if np.ndim(labels) != 3:
        raise InputError(f"{name}: expected class indices [slice, row, column]; got shape {np.shape(labels)}")
    unknown = sorted(set(np.unique(labels).tolist()) - set(range(NUM_CLASSES)))
    if unknown:
        raise InputError(
            f"{name}: expected class indices 0 to {NUM_CLASSES - 1}; got {unknown[0]}; map the labels first"
        )


def _score_slice(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> Score:
    scores = {}
    for organ in ORGANS:
        masks = organ_mask(prediction, organ), organ_mask(reference, organ)
        if not any(mask.any() for mask in masks):
            scores[organ] = {"dice": 100.0, "assd_voxel": float("nan"), "assd_mm": float("nan")}
            continue
        distances = (directed_mean_distance(*masks, spacing) for spacing in (None, tuple(spacing_mm)[1:]))
        assd_voxel, assd_mm = (d if np.isfinite(d) else float("nan") for d in distances)
        scores[organ] = {"dice": 100.0 * dice(*masks), "assd_voxel": assd_voxel, "assd_mm": assd_mm}
    return scores
