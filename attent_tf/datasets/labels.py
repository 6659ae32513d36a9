"""Numbers in label files to the classes of this library, as a description says."""

import os

import numpy as np

from attent_tf.counting import counted
from attent_tf.datasets.description import DatasetDescription
from attent_tf.errors import InputError
from attent_tf.organs import CLASS_NAMES
from attent_tf.volumes.nifti import shown_values

_NO_CLASS = 255


def classes_of_grey(grey: np.ndarray, description: DatasetDescription, path: str | os.PathLike) -> np.ndarray:
    """Grey values 0..255 of any shape to uint8 class indices.

    Raises:
      InputError: a value is neither background (0) nor means an organ; names `path` and the values.
    """
    if not description.label_bins:
        return classes_of_numbers(grey, description, path)
    table = np.full(256, _NO_CLASS, np.uint8)
    table[0] = 0
    for organ, (above, last) in description.label_bins:
        table[above + 1 : last + 1] = CLASS_NAMES.index(organ)
    classes = table[grey]
    if (classes == _NO_CLASS).any():
        bins = ", ".join(f"({above}, {last}]" for _, (above, last) in description.label_bins)
        raise InputError(
            path,
            f"grey values 0 or in {bins}",
            shown_values(grey[classes == _NO_CLASS]),
            "unpack the data set again, or mend its label_bins",
        )
    return classes


def classes_of_numbers(numbers: np.ndarray, description: DatasetDescription, path: str | os.PathLike) -> np.ndarray:
    """Whole numbers of any shape to uint8 class indices; those that mean no organ are background.

    Raises:
      InputError: a number is negative or above `last_label`; names `path` and the numbers.
    """
    last = description.last_label
    organs = {value: CLASS_NAMES.index(organ) for organ, values in description.label_values for value in values}
    if last is not None and numbers.size and (numbers.min() < 0 or numbers.max() > last):
        found = shown_values(numbers[(numbers < 0) | (numbers > last)])
        raise InputError(path, f"labels 0..{last}", found, "check the label map, or mend its label_values")
    if last is not None and last < 2**16:
        table = np.zeros(last + 1, np.uint8)
        table[[value for value in organs if value <= last]] = [organs[value] for value in organs if value <= last]
        return table[numbers]
    classes = np.zeros(numbers.shape, np.uint8)
    for value, organ in organs.items():
        classes[numbers == value] = organ
    return classes


def classes_of_masks(masks: dict[str, np.ndarray], paths: dict[str, str]) -> np.ndarray:
    """Masks of single organs to uint8 class indices.

    Args:
      masks: organ to whole numbers of one shape: 0 outside the organ, one other number inside.
      paths: organ to the file of its mask.

    Raises:
      InputError: a mask holds other numbers, or two organs overlap.
    """
    classes = None
    for organ, mask in masks.items():
        if np.unique(mask[mask != 0]).size > 1 or (mask.size and mask.min() < 0):
            raise InputError(
                paths[organ], "0 and one other number in a mask", shown_values(mask), "describe a label map with labels"
            )
        inside = mask != 0
        classes = np.zeros(mask.shape, np.uint8) if classes is None else classes
        if classes[inside].any():
            other = CLASS_NAMES[int(classes[inside].max())]
            shared = np.count_nonzero(classes[inside])
            found = counted(shared, f"voxel that is {other} as well", f"voxels that are {other} as well")
            raise InputError(paths[organ], f"a mask of {organ} apart from the others", found, "mend one of the masks")
        classes[inside] = CLASS_NAMES.index(organ)
    return classes
