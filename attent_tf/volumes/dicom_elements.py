"""Numbers in DICOM elements, which may be missing, empty or damaged."""

import numpy as np
import pydicom

from attent_tf.counting import counted
from attent_tf.errors import InputError


def numbers_of(dataset: pydicom.Dataset, path: str, keyword: str, count: int) -> np.ndarray:
    """Returns the numbers of an element.

    Args:
      dataset: holds the element.
      path: what messages call the file.
      keyword: the keyword of the element; one that names nobody, since its value may stand in a message.
      count: how many numbers there must be.

    Returns:
      [count] float64.

    Raises:
      InputError: the element is missing or empty, or holds something else.
    """
    values, found = [], "none"
    if keyword in dataset:
        try:
            values, found = _values(dataset[keyword])
        except (TypeError, ValueError, OverflowError):
            found = "other content"
    if len(values) != count or not np.isfinite(values).all():
        raise InputError(path, f"{counted(count, 'number')} in {keyword}", found, "correct the file")
    return np.array(values, np.float64)


def number_of(dataset: pydicom.Dataset, path: str, keyword: str, default: float | None = None) -> float | None:
    """Returns the number of an element, or the default where it is missing or empty.

    Raises:
      InputError: the element holds something else.
    """
    if keyword not in dataset or dataset[keyword].is_empty:
        return default
    return float(numbers_of(dataset, path, keyword, 1)[0])


def _values(element: pydicom.DataElement) -> tuple[list[float], str]:
    """The values as numbers, nan for an empty one, and as a message shows them."""
    if element.is_empty:
        return [], "an empty element"
    values = element.value if element.VM > 1 else [element.value]
    values = [None if value in (None, "") else float(value) for value in values]
    shown = ", ".join("an empty value" if value is None else f"{value:g}" for value in values[:6])
    return [np.nan if value is None else value for value in values], shown
