"""Distances between the surfaces of two masks, from which ASSD (Eq. 10) and its relatives follow."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial import KDTree

from attent_tf.errors import InputError
from attent_tf.metrics.boxes import box_of_masks
from attent_tf.metrics.overlap import as_masks
from attent_tf.metrics.surface_voxels import check_conventions, surface_voxels
from attent_tf.metrics.voxel_axes import Spacing, checked_axes

PERCENTILE_RULES = ("pooled", "max")


@dataclasses.dataclass(frozen=True)
class SurfaceDistances:
    """For each surface voxel the distance to the nearest voxel of the other surface.

    Everything here is NaN if neither mask has a surface. If only one has, distances are infinite and `within` is 0.

    Attributes:
      from_prediction: [voxels of the predicted surface] distances to the reference surface; infinite without one.
      from_reference: [voxels of the reference surface] distances to the predicted surface; infinite without one.
    """

    from_prediction: np.ndarray
    from_reference: np.ndarray

    @property
    def assd(self) -> float:
        """Eq. 10: the distances of both directions pooled, divided by the number of all surface voxels."""
        total = self.from_prediction.sum() + self.from_reference.sum()
        return self._defined(lambda: total / (self.from_prediction.size + self.from_reference.size))

    @property
    def asd_prediction(self) -> float:
        """The mean distance from the predicted surface to the reference surface."""
        return self._defined(lambda: self.from_prediction.mean())

    @property
    def asd_reference(self) -> float:
        """The mean distance from the reference surface to the predicted surface."""
        return self._defined(lambda: self.from_reference.mean())

    @property
    def mean_of_directed(self) -> float:
        """The mean of the two directed means, which is not Eq. 10 (medpy called it `assd` until 2022)."""
        return (self.asd_prediction + self.asd_reference) / 2

    def percentile(self, percent: float = 95.0, rule: str = "pooled") -> float:
        """The distance that a percentage of the surface voxels does not exceed, linearly interpolated.

        Args:
          percent: 95 for HD95, 100 for the Hausdorff distance.
          rule: `pooled` takes the percentile of both directions' distances together (medpy's `hd95`); `max` takes the
            larger one of the percentiles of either direction.

        Raises:
          InputError: there is no such rule.
        """
        if rule not in PERCENTILE_RULES:
            raise InputError(f"rule: expected one of {', '.join(PERCENTILE_RULES)}, found {rule!r}")
        directions = (self.from_prediction, self.from_reference)
        if rule == "pooled":
            return self._defined(lambda: np.percentile(np.concatenate(directions), percent))
        return self._defined(lambda: max(np.percentile(direction, percent) for direction in directions))

    def within(self, tolerance: float) -> float:
        """Surface Dice: the share, in [0, 1], of all surface voxels that are no farther than `tolerance` from the other."""
        near = sum(np.count_nonzero(d <= tolerance) for d in (self.from_prediction, self.from_reference))
        count = self.from_prediction.size + self.from_reference.size
        return float(near / count) if count else float("nan")

    def _defined(self, value: Callable[[], float]) -> float:
        sizes = self.from_prediction.size, self.from_reference.size
        if all(sizes):
            return float(value())
        return float("inf") if any(sizes) else float("nan")


def surface_distances(
    prediction: np.ndarray,
    reference: np.ndarray,
    spacings_mm: Sequence[Spacing | None] = (None,),
    outside: str = "background",
    connectivity: int = 1,
) -> list[SurfaceDistances]:
    """Measures the distances between two surfaces, in several units at once; the surfaces are found only once.

    Args:
      prediction: [slice, row, column] bool, or an array of another rank.
      reference: bool of the same shape.
      spacings_mm: for each result, the distance of neighbouring voxel centres along each axis in millimetres, or the step along
        each axis as a column if axes are not perpendicular; None measures in voxels.
      outside: what lies beyond the border of the arrays: `background` or `object`.
      connectivity: see `surface_voxels`.

    Returns:
      One result for each spacing.

    Raises:
      InputError: the shapes differ, or a spacing or a convention cannot be used.
    """
    prediction, reference = as_masks(prediction, reference)
    samplings = [checked_axes(spacing, prediction.ndim) for spacing in spacings_mm]
    check_conventions(outside, connectivity)
    box = box_of_masks(prediction, reference)
    surface_p, surface_r = (surface_voxels(mask[box], outside, connectivity) for mask in (prediction, reference))
    return [
        SurfaceDistances(*both)
        for both in zip(
            nearest_distances(surface_p, surface_r, samplings),
            nearest_distances(surface_r, surface_p, samplings),
            strict=True,
        )
    ]


def nearest_distances(mask: np.ndarray, other_mask: np.ndarray, samplings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """For each voxel of one set the distance to the nearest voxel of another.

    Sets of surface voxels are small compared with the volume: a search tree over them answers many times faster than a distance
    transform of the volume, and is just as exact.

    Args:
      mask: bool array; distances are measured from its voxels.
      other_mask: bool array of the same shape, whose voxels distances lead to.
      samplings: for each result [n, axes], the step along each axis as a column.

    Returns:
      For each sampling [voxels of `mask`, in the order of the array] distances; infinite where `other_mask` is empty.
    """
    places, apart = np.argwhere(mask), ~other_mask[mask]
    if not other_mask.any():
        return [np.full(len(places), np.inf) for _ in samplings]
    results = []
    targets, starts = np.argwhere(other_mask), places[apart]
    offsets_by_shape: dict[bytes, np.ndarray] = {}
    for sampling in samplings:
        # Which voxel is nearest depends on the shape of voxels alone, not on their size.
        shape = sampling / np.linalg.norm(sampling[:, 0])
        key = shape.tobytes()
        if key not in offsets_by_shape:
            offsets_by_shape[key] = _offsets_to_nearest(starts, targets, shape)
        distances = np.zeros(len(places))
        # Out of whole numbers of voxels: distances do not depend on where in the volume a structure lies.
        distances[apart] = np.sqrt(np.square(offsets_by_shape[key] @ sampling.T).sum(axis=1))
        results.append(distances)
    return results


def _offsets_to_nearest(starts: np.ndarray, targets: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """[starts, axis] whole voxels from each start to its nearest target."""
    if not len(starts):
        return np.zeros(starts.shape, np.int64)
    tree = KDTree(targets @ shape.T, leafsize=16, balanced_tree=False)
    _, nearest = tree.query(starts @ shape.T)
    return np.asarray(targets[nearest] - starts)
