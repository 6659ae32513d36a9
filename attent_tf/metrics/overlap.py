"""Overlap of two masks (Eq. 9)."""

import numpy as np

from attent_tf.errors import InputError


def as_masks(prediction: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns both masks as boolean arrays.

    Args:
      prediction: array of any shape; not 0 is inside.
      reference: array of the same shape.

    Raises:
      InputError: the shapes differ.
    """
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    if prediction.shape != reference.shape:
        raise InputError(
            f"prediction and reference: expected one shape, got {prediction.shape} and {reference.shape}; "
            "bring both to the same grid first"
        )
    return prediction.astype(bool, copy=False), reference.astype(bool, copy=False)


def dice(prediction: np.ndarray, reference: np.ndarray) -> float:
    """Dice coefficient of two masks (Eq. 9).

    Args:
      prediction: [slice, row, column] bool.
      reference: [slice, row, column] bool.

    Returns:
      A fraction in [0, 1]; NaN if both masks are empty, because an organ that is nowhere cannot be found.

    Raises:
      InputError: the shapes differ.
    """
    prediction, reference = as_masks(prediction, reference)
    total = np.count_nonzero(prediction) + np.count_nonzero(reference)
    if total == 0:
        return float("nan")
    return float(2.0 * np.count_nonzero(prediction & reference) / total)
