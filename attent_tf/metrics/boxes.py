"""Boxes around structures, so that a volume is searched once and everything else happens close to them."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

Box = tuple[slice, ...]


def box_of_masks(first: np.ndarray, second: np.ndarray) -> Box:
    """Returns the smallest box around two masks of one shape, wider by one voxel where the array allows.

    The extra voxel keeps the border of the box from being mistaken for the border of the volume. Without any object the
    box is empty.
    """
    union = first | second
    box = []
    for axis in range(union.ndim):
        others = tuple(i for i in range(union.ndim) if i != axis)
        inside = np.flatnonzero(union.any(axis=others))
        box.append((inside[0], inside[-1] + 1) if inside.size else None)
    return _widened(box, union.shape)


def boxes_of_classes(first: np.ndarray, second: np.ndarray, classes: int) -> list[Box]:
    """Returns `box_of_masks` for every class but the background in two label maps.

    Args:
      first: class indices of any shape.
      second: class indices of the same shape.
      classes: number of classes; class 0 is the background.

    Returns:
      One box for each class from 1 on.
    """
    first, second = np.asarray(first), np.asarray(second)
    outer = _box_of_any((first, second))
    found = [_class_boxes(labels[outer], classes) for labels in (first, second)]
    boxes = []
    for pair in zip(*found, strict=True):
        present = [box for box in pair if box is not None]
        box = [
            (start.start + min(p.start for p in parts), start.start + max(p.stop for p in parts)) if parts else None
            for start, *parts in zip(outer, *present, strict=True)
        ]
        boxes.append(_widened(box, first.shape))
    return boxes


def _class_boxes(labels: np.ndarray, classes: int) -> list[Box | None]:
    # `find_objects` needs integers; the caller has checked that these are whole numbers.
    labels = labels if labels.dtype.kind in "iu" else labels.astype(np.int64)
    boxes: list[Box | None] = ndimage.find_objects(labels, max_label=classes - 1)
    return boxes


def _box_of_any(maps: Sequence[np.ndarray]) -> Box:
    """The smallest box outside which all maps are 0."""
    box: list[slice] = []
    for axis in range(maps[0].ndim):
        # Axes that are done have been cut already: the others are cut ever smaller.
        cut = [labels[tuple(box)] for labels in maps]
        others = tuple(i for i in range(cut[0].ndim) if i != axis)
        inside = np.flatnonzero(np.any([labels.any(axis=others) for labels in cut], axis=0))
        box.append(slice(int(inside[0]), int(inside[-1]) + 1) if inside.size else slice(0, 0))
    return tuple(box)


def _widened(box: Sequence[tuple[int, int] | None], shape: tuple[int, ...]) -> Box:
    return tuple(
        slice(0, 0) if edge is None else slice(max(int(edge[0]) - 1, 0), min(int(edge[1]) + 1, size))
        for edge, size in zip(box, shape, strict=True)
    )
