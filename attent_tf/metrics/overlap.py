"""Overlap (Eq. 9) and volumes of two masks."""

import numpy as np

from attent_tf.errors import InputError
from attent_tf.metrics.voxel_axes import Spacing, voxel_mm3


def as_masks(prediction: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns both masks as boolean arrays.

    Args:
      prediction: array of any shape; values other than 0 are inside.
      reference: array of the same shape.

    Raises:
      InputError: the shapes differ.
    """
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    check_shapes(prediction, reference)
    return prediction.astype(bool, copy=False), reference.astype(bool, copy=False)


def check_shapes(prediction: np.ndarray, reference: np.ndarray) -> None:
    """Raises InputError unless both arrays have the same shape."""
    if prediction.shape != reference.shape:
        raise InputError(
            f"prediction and reference: expected one shape, found {prediction.shape} and {reference.shape}; "
            "bring both to the same grid first"
        )


def dice(prediction: np.ndarray, reference: np.ndarray) -> float:
    """Dice coefficient of two masks (Eq. 9).

    Args:
      prediction: [slice, row, column] bool.
      reference: [slice, row, column] bool.

    Returns:
      A fraction in [0, 1]; NaN if both masks are empty, because a structure that is nowhere cannot be found.

    Raises:
      InputError: the shapes differ.
    """
    prediction, reference = as_masks(prediction, reference)
    total = np.count_nonzero(prediction) + np.count_nonzero(reference)
    if total == 0:
        return float("nan")
    return float(2.0 * np.count_nonzero(prediction & reference) / total)


def volume_difference_ml(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Spacing) -> float:
    """How much more volume the prediction has than the reference.

    Args:
      prediction: [slice, row, column] bool.
      reference: [slice, row, column] bool.
      spacing_mm: spacing of voxels in millimetres, see `voxel_axes.Spacing`.

    Returns:
      Millilitres: positive where too much was found, negative where too little; NaN if both masks are empty.

    Raises:
      InputError: the shapes differ.
    """
    prediction, reference = as_masks(prediction, reference)
    voxels = np.count_nonzero(prediction), np.count_nonzero(reference)
    return float((voxels[0] - voxels[1]) * voxel_mm3(spacing_mm) / 1000.0) if any(voxels) else float("nan")
