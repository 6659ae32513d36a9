"""What may be done to a label map after the networks. Nothing is done by default, and what is done is said beside the result.

A step that uses no labels and looks at the prediction alone is no cheating; leaving it unsaid is. It suits structures
that are one piece without cavities. Holes are filled in three dimensions, not slice by slice: a cavity that a structure closes
off on all sides is a fault of the networks, whereas the ring that a slice shows around what enters an organ from outside is
anatomy. The result does not depend on how slices run either.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from attent_tf.plain_values import StrictReader


@dataclasses.dataclass(frozen=True)
class Postprocessing:
    """Clean-up of label maps after the networks, wherever a run or its exported model is used or scored.

    Attributes:
      largest_component: whether of each structure only the largest part that hangs together across faces of voxels is kept.
      fill_holes: whether background that a structure encloses on all sides, in three dimensions, becomes part of it.
    """

    largest_component: bool = False
    fill_holes: bool = False

    def __bool__(self) -> bool:
        return self.largest_component or self.fill_holes

    def __call__(self, labels: np.ndarray) -> np.ndarray:
        """Returns `labels` [slice, row, column] cleaned; the array itself where there is nothing to do, or else another."""
        if self.largest_component:
            labels = largest_components(labels)
        return fill_holes(labels) if self.fill_holes else labels

    @property
    def text(self) -> str:
        """What is done, in sentences; empty if nothing is."""
        largest = "Of each structure only the largest part that hangs together across faces of voxels is kept."
        filled = "Background that a structure encloses on all sides becomes part of it."
        return " ".join([largest] * self.largest_component + [filled] * self.fill_holes)

    def asked(self, postprocess: bool | None) -> "Postprocessing":
        """Returns all of it, or nothing, where a user asks for that; this one for None."""
        return self if postprocess is None else Postprocessing(postprocess, postprocess)

    def to_json(self) -> dict[str, bool]:
        """The steps as a JSON object; `from_json` gives equal ones back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Postprocessing":
        """Reads what `to_json` wrote; other keys are left alone, and steps that are not named are not done.

        Raises:
          ConfigError: a step is neither true nor false.
        """
        return _READER.read(cls, content, "postprocessing")


_READER = StrictReader(other_keys=True)
NO_POSTPROCESSING = Postprocessing()


def largest_components(labels: np.ndarray) -> np.ndarray:
    """Keeps of each structure its largest part; the rest becomes background.

    Voxels hang together across faces. Of parts of one size the one that comes first in the array stays.

    Args:
      labels: [slice, row, column] class indices.

    Returns:
      An array of the same shape and type; `labels` is left as it is.
    """
    from scipy import ndimage

    kept = np.array(labels)
    for index, part in _structures(kept):
        inside = part == index
        components, count = ndimage.label(inside)
        if count > 1:
            largest = np.argmax(np.bincount(components[inside]))
            part[inside & (components != largest)] = 0
    return kept


def fill_holes(labels: np.ndarray) -> np.ndarray:
    """Gives each structure the background that it encloses on all sides; others in there stay what they are.

    A hole has no way across faces of voxels to the border of the array except through the structure. Background within
    two of them goes to the one with the lower index.

    Args:
      labels: [slice, row, column] class indices.

    Returns:
      An array of the same shape and type; `labels` is left as it is.
    """
    from scipy import ndimage

    filled = np.array(labels)
    for index, part in _structures(filled):
        part[ndimage.binary_fill_holes(part == index) & (part == 0)] = index
    return filled


def _structures(labels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yields each class that is there but the background, and the part of the array that holds all of it, as a view."""
    from scipy import ndimage

    # `find_objects` needs integers; the caller has made sure that these are whole numbers.
    whole = labels if labels.dtype.kind in "iu" else labels.astype(np.int64)
    for index, box in enumerate(ndimage.find_objects(whole), start=1):
        if box is not None:
            yield index, labels[box]
