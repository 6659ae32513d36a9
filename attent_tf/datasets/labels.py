"""Numbers in label files to classes, the structures in their order from 1, as a description says."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from attent_tf.counting import counted
from attent_tf.datasets.description import DatasetDescription
from attent_tf.errors import InputError
from attent_tf.volumes.nifti import shown_values

_NO_CLASS = 255


def classes_of_grey(
    grey: np.ndarray, description: DatasetDescription, structures: Sequence[str], path: str | os.PathLike
) -> np.ndarray:
    """Grey values 0..255 of any shape to uint8 class indices; those that mean something else are background.

    Raises:
      InputError: a value is neither background (0) nor means anything; names `path` and the values.
    """
    if not description.label_bins:
        return classes_of_numbers(grey, description, structures, path)
    table = np.full(256, _NO_CLASS, np.uint8)
    table[0] = 0
    for name, (above, last) in description.label_bins:
        table[above + 1 : last + 1] = structures.index(name) + 1 if name in structures else 0
    classes = table[grey]
    if (classes == _NO_CLASS).any():
        bins = ", ".join(f"({above}, {last}]" for _, (above, last) in description.label_bins)
        raise InputError(
            path,
            f"grey values 0 or in {bins}",
            shown_values(grey[classes == _NO_CLASS]),
            "unpack the data set again, or correct its label_bins",
        )
    return classes


def classes_of_numbers(
    numbers: np.ndarray, description: DatasetDescription, structures: Sequence[str], path: str | os.PathLike
) -> np.ndarray:
    """Whole numbers of any shape to uint8 class indices; those that mean no structure are background.

    Raises:
      InputError: a number is negative or above `last_label`; names `path` and the numbers.
    """
    last, meanings = description.last_label, _meanings(description.label_values, structures)
    if last is not None and numbers.size and (numbers.min() < 0 or numbers.max() > last):
        found = shown_values(numbers[(numbers < 0) | (numbers > last)])
        raise InputError(path, f"labels 0..{last}", found, "check the label map, or correct its label_values")
    if last is not None and last < 2**16:
        table = np.zeros(last + 1, np.uint8)
        for value, index in meanings.items():
            if value <= last:
                table[value] = index
        return table[numbers]
    classes = np.zeros(numbers.shape, np.uint8)
    for value, index in meanings.items():
        classes[numbers == value] = index
    return classes


def classes_of_masks(
    masks: Mapping[str, np.ndarray], structures: Sequence[str], paths: Mapping[str, str]
) -> np.ndarray:
    """Masks of single structures to uint8 class indices.

    Args:
      masks: structure to whole numbers of one shape: 0 outside of it, one other number inside.
      structures: names of the classes from 1.
      paths: structure to the file of its mask.

    Raises:
      InputError: a mask holds other numbers, or two structures overlap.
    """
    classes = None
    for name, mask in masks.items():
        if np.unique(mask[mask != 0]).size > 1 or (mask.size and mask.min() < 0):
            raise InputError(
                paths[name], "0 and one other number in a mask", shown_values(mask), "describe a label map with labels"
            )
        inside = mask != 0
        classes = np.zeros(mask.shape, np.uint8) if classes is None else classes
        if classes[inside].any():
            first = structures[int(classes[inside].max()) - 1]
            shared = np.count_nonzero(classes[inside])
            found = counted(shared, f"voxel that is {first} as well", f"voxels that are {first} as well")
            raise InputError(paths[name], f"a mask of {name} apart from the others", found, "correct one of the masks")
        classes[inside] = structures.index(name) + 1
    return classes


def _meanings(values: Iterable[tuple[str, Any]], structures: Sequence[str]) -> dict[int, int]:
    """Number in a label map -> class, of those that mean a structure."""
    return {number: structures.index(name) + 1 for name, numbers in values if name in structures for number in numbers}
