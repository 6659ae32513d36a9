"""Average symmetric surface distance (Eq. 10).

Eq. 10 pools the distances of both directions and divides by the number of all surface voxels; it is not the mean of two
directed means. Tools differ in what lies beyond the border of the volume: background (medpy, the default here) or
object (the CHAOS challenge's own code), so that the cut face of an organ is surface in the one and not in the other.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from attent_tf.errors import InputError
from attent_tf.metrics.overlap import as_masks

OUTSIDE = ("background", "object")


def surface_voxels(mask: np.ndarray, outside: str = "background") -> np.ndarray:
    """Marks the object voxels that have a neighbour which is not object.

    Neighbours share a face (6 in 3-D, 4 in 2-D).

    Args:
      mask: [slice, row, column] bool, or an array of another rank.
      outside: what lies beyond the border of the array: `background` or `object`.

    Returns:
      Bool array of the shape of `mask`.

    Raises:
      InputError: `outside` is neither of the two.
    """
    if outside not in OUTSIDE:
        raise InputError(f"outside: expected one of {', '.join(OUTSIDE)}; got {outside!r}")
    mask = np.asarray(mask).astype(bool, copy=False)
    return mask & ~ndimage.binary_erosion(mask, border_value=outside == "object")


def assd(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Sequence[float] | None = None,
    outside: str = "background",
) -> float:
    """Average symmetric surface distance of two masks (Eq. 10).

    Args:
      prediction: [slice, row, column] bool.
      reference: [slice, row, column] bool.
      spacing_mm: distance of neighbouring voxel centres along each axis, in millimetres; None measures in voxels.
      outside: what lies beyond the border of the arrays: `background` or `object`.

    Returns:
      Millimetres, or voxels without `spacing_mm`. NaN if neither mask has a surface, infinity if only one has.

    Raises:
      InputError: the shapes differ, or `spacing_mm` or `outside` cannot be used.
    """
    return assd_in_units(prediction, reference, [spacing_mm], outside)[0]


def assd_in_units(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacings_mm: Sequence[Sequence[float] | None],
    outside: str = "background",
) -> list[float]:
    """`assd` for several spacings at once; the surfaces are found only once.

    Args:
      prediction: [slice, row, column] bool.
      reference: [slice, row, column] bool.
      spacings_mm: one spacing, or None for voxels, for each value wanted.
      outside: what lies beyond the border of the arrays: `background` or `object`.

    Returns:
      One distance for each spacing, as `assd` defines it.

    Raises:
      InputError: the shapes differ, or a spacing or `outside` cannot be used.
    """
    prediction, reference = as_masks(prediction, reference)
    samplings = [_checked_spacing(spacing, prediction.ndim) for spacing in spacings_mm]
    surface_p, surface_r = _surfaces(prediction, reference, outside)
    counts = np.count_nonzero(surface_p), np.count_nonzero(surface_r)
    if not all(counts):
        return [float("inf") if any(counts) else float("nan")] * len(samplings)
    return [
        float((_distances(surface_p, surface_r, s).sum() + _distances(surface_r, surface_p, s).sum()) / sum(counts))
        for s in samplings
    ]


def directed_mean_distance(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Sequence[float] | None = None,
    outside: str = "background",
) -> float:
    """Mean distance from the predicted surface to the reference surface: one direction of Eq. 10 only.

    Args:
      prediction: [slice, row, column] bool, or an array of another rank.
      reference: bool of the same shape.
      spacing_mm: distance of neighbouring voxel centres along each axis, in millimetres; None measures in voxels.
      outside: what lies beyond the border of the arrays: `background` or `object`.

    Returns:
      Millimetres, or voxels without `spacing_mm`. NaN if neither mask has a surface, infinity if only one has.

    Raises:
      InputError: the shapes differ, or `spacing_mm` or `outside` cannot be used.
    """
    prediction, reference = as_masks(prediction, reference)
    sampling = _checked_spacing(spacing_mm, prediction.ndim)
    surface_p, surface_r = _surfaces(prediction, reference, outside)
    present = surface_p.any(), surface_r.any()
    if not all(present):
        return float("inf") if any(present) else float("nan")
    return float(_distances(surface_p, surface_r, sampling).mean())


def _surfaces(prediction: np.ndarray, reference: np.ndarray, outside: str) -> tuple[np.ndarray, np.ndarray]:
    box = _common_box(prediction, reference)
    return surface_voxels(prediction[box], outside), surface_voxels(reference[box], outside)


def _distances(of: np.ndarray, to: np.ndarray, sampling: tuple[float, ...]) -> np.ndarray:
    return ndimage.distance_transform_edt(~to, sampling=sampling)[of]


def _common_box(a: np.ndarray, b: np.ndarray) -> tuple[slice, ...]:
    """The smallest box around both masks, one voxel wider where the array allows.

    The extra voxel keeps the border of the box from being mistaken for the border of the volume.
    """
    union = a | b
    box = []
    for axis in range(union.ndim):
        others = tuple(i for i in range(union.ndim) if i != axis)
        inside = np.flatnonzero(union.any(axis=others))
        box.append(slice(max(inside[0] - 1, 0), inside[-1] + 2) if inside.size else slice(0, 0))
    return tuple(box)


def _checked_spacing(spacing_mm: Sequence[float] | None, rank: int) -> tuple[float, ...]:
    if spacing_mm is None:
        return (1.0,) * rank
    spacing = tuple(float(step) for step in spacing_mm)
    if len(spacing) != rank or not all(np.isfinite(step) and step > 0 for step in spacing):
        raise InputError(f"spacing_mm: expected {rank} positive numbers, one for each axis; got {spacing}")
    return spacing
