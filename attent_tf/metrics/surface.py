"""Measures of the distance between two masks: ASSD (Eq. 10), its directed parts, HD95 and surface Dice.

Each takes the conventions of `attent_tf.metrics.surface_voxels`. To take several measures of one pair of masks, use one
`surface_distances`, as `attent_tf.metrics.scores` does.
"""

import numpy as np

from attent_tf.metrics.surface_distances import surface_distances
from attent_tf.metrics.voxel_axes import Spacing


def assd(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Spacing | None = None,
    outside: str = "background",
    connectivity: int = 1,
) -> float:
    """Average symmetric surface distance (Eq. 10): both directions pooled, over the number of all surface voxels.

    Args:
      prediction: [slice, row, column] bool, or an array of another rank.
      reference: bool of the same shape.
      spacing_mm: distance of neighbouring voxel centres along each axis, in millimetres; None measures in voxels.
      outside: what lies beyond the border of the arrays: `background` or `object`.
      connectivity: which neighbours make a surface voxel, see `surface_voxels`.

    Returns:
      Millimetres, or voxels without `spacing_mm`. NaN if neither mask has a surface, infinity if only one has.

    Raises:
      InputError: the shapes differ, or the spacing or a convention cannot be used.
    """
    return surface_distances(prediction, reference, [spacing_mm], outside, connectivity)[0].assd


def asd(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Spacing | None = None,
    outside: str = "background",
    connectivity: int = 1,
) -> float:
    """Mean distance from the predicted surface to the reference surface: one direction of Eq. 10 only.

    Exchanging the masks gives the other direction. Arguments, result and errors as for `assd`.
    """
    return surface_distances(prediction, reference, [spacing_mm], outside, connectivity)[0].asd_prediction


def hd95(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacing_mm: Spacing | None = None,
    outside: str = "background",
    connectivity: int = 1,
    rule: str = "pooled",
) -> float:
    """The distance that 95 % of the surface voxels do not exceed.

    Arguments, result and errors as for `assd`; `rule` is that of `SurfaceDistances.percentile`: `pooled` as medpy, or
    `max` of both directions.
    """
    return surface_distances(prediction, reference, [spacing_mm], outside, connectivity)[0].percentile(95.0, rule)


def surface_dice(
    prediction: np.ndarray,
    reference: np.ndarray,
    tolerance_mm: float,
    spacing_mm: Spacing | None,
    outside: str = "background",
    connectivity: int = 1,
) -> float:
    """The share of the surface voxels of both masks that are no farther than a tolerance from the other surface.

    Every voxel counts alike; `attent_tf.metrics.surface_elements.surface_dice_by_area` weighs pieces of surface by area.

    Args:
      tolerance_mm: in millimetres, or in voxels where `spacing_mm` is None.
      prediction, reference, spacing_mm, outside, connectivity: as for `assd`.

    Returns:
      A fraction in [0, 1]; 0 if only one mask is empty, NaN if both are.

    Raises:
      InputError: as for `assd`.
    """
    return surface_distances(prediction, reference, [spacing_mm], outside, connectivity)[0].within(tolerance_mm)
