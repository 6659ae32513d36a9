"""What may be done to a prediction before it is scored. Nothing is done by default, and what is done has a name.

A step that uses no labels and looks at the prediction alone is no cheating; leaving it unsaid is.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.metrics.boxes import boxes_of_classes
from attent_tf.organs import NUM_CLASSES

DEFAULT_POSTPROCESSING = "none"


def largest_component(labels: np.ndarray) -> np.ndarray:
    """Keeps of each organ its largest part; the rest becomes background.

    Voxels hang together across faces. Of parts of one size the one that comes first in the array stays.

    Args:
      labels: [slice, row, column] class indices.

    Returns:
      An array of the same shape and type; `labels` is left as it is.
    """
    kept = np.array(labels)
    for index, box in enumerate(boxes_of_classes(kept, kept, NUM_CLASSES), start=1):
        inside = kept[box] == index
        parts, count = ndimage.label(inside)
        if count > 1:
            largest = np.argmax(np.bincount(parts[inside]))
            kept[box][inside & (parts != largest)] = 0
    return kept


@dataclasses.dataclass(frozen=True)
class Postprocessing:
    """A step between network and scores.

    Attributes:
      name: the key in `POSTPROCESSINGS`.
      text: a sentence for the protocol's text; empty where nothing is done.
      apply: label map to label map.
    """

    name: str
    text: str
    apply: Callable[[np.ndarray], np.ndarray]


POSTPROCESSINGS = {
    step.name: step
    for step in (
        Postprocessing(DEFAULT_POSTPROCESSING, "", lambda labels: labels),
        Postprocessing(
            "largest_component",
            "Before scoring, of each predicted organ only the largest part that hangs together across faces of voxels was "
            "kept.",
            largest_component,
        ),
    )
}


def find_postprocessing(name: str) -> Postprocessing:
    """Returns the step of that name.

    Raises:
      ConfigError: there is none; the message suggests the nearest name.
    """
    if name in POSTPROCESSINGS:
        return POSTPROCESSINGS[name]
    raise ConfigError(
        f"postprocessing: expected one of {', '.join(POSTPROCESSINGS)}; got {name!r}{did_you_mean(name, POSTPROCESSINGS)}"
    )
