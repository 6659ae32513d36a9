"""A scan made ready for a network.

The same function serves the records on disk and a scan that a user segments, so that both see the same images.
"""

import dataclasses

import numpy as np

from attent_tf.errors import ConfigError, InputError
from attent_tf.tasks import IntensityRule, Task, rule_text
from attent_tf.volumes import resampling
from attent_tf.volumes.anatomy import check_canonical_anatomy
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.case_geometry import CaseGeometry
from attent_tf.volumes.grid import fit_grid
from attent_tf.volumes.intensity import Intensity, IntensityStatistics, fit_intensity, measure_intensity
from attent_tf.volumes.orientation import to_canonical
from attent_tf.volumes.placement import Placement
from attent_tf.volumes.prepare_options import PrepareOptions
from attent_tf.volumes.volume import PATIENT, Volume


@dataclasses.dataclass(frozen=True)
class PreparedCase:
    """A scan as the networks are shown it, with the way back.

    Attributes:
      images: [slice, size, size] float32 in [−1, 1], slices inferior to superior.
      labels: [slice, size, size] uint8 class indices, or None.
      geometry: the way back to the scan.
      placement: how what is written on the scan's voxels says where they lie: as the scan's own file does.
    """

    images: np.ndarray
    labels: np.ndarray | None
    geometry: CaseGeometry
    placement: Placement


def prepare(
    volume: Volume,
    options: PrepareOptions | None = None,
    intensity: Intensity | None = None,
    task: Task | None = None,
) -> PreparedCase:
    """Turns a scan into canonical slices on the grid, with intensities in [−1, 1].

    Args:
      volume: any orientation; its voxels may be of any type and are never copied as a whole.
      options: the defaults if None.
      intensity: the intensity of training cases, from `pool_statistics`; by the rule of the options if None.
      task: whose rules of anatomy the labels must keep; if None, without labels, or where directions are not known, there are
        none to keep.

    Returns:
      One image for each prepared slice; −1 outside the scan's field.

    Raises:
      InputError: structures lie where they cannot, or the scan shows no body, no contrast or nothing within its intensities.
      ConfigError: the rule asks for training cases and no intensity is given, or the options ask for what the scan's space
        does not say.
    """
    options = options or PrepareOptions()
    options.check_space(volume.space, volume.where)
    rule = options.intensity_rule(volume.domain)
    if intensity is None and rule.needs_training:
        raise ConfigError(
            f"{volume.where}: the {volume.domain.name} intensity {rule_text(rule)} needs to be measured in training cases first; "
            "give `prepare` an intensity from pool_statistics, or take options.resolved({domain: intensity})"
        )
    canonical, body = _with_body(volume)
    if task is not None and volume.space == PATIENT:
        check_canonical_anatomy(canonical, body, volume.axis_codes, task)
    grid = fit_grid(canonical, options.geometry, options.size, options.pixel_mm, body, options.slice_mm)
    intensity = intensity or fit_intensity(canonical, rule, body)
    _check_within(volume, intensity)
    del body
    # Cut before averaging: what lies beyond the window must not bleed into its neighbours.
    images = resampling.images_to_grid(canonical.voxels, grid, fill=-1.0, before=intensity.normalise)
    # Weights are float32, so their sum may exceed 1 by a rounding.
    np.clip(images, -1.0, 1.0, out=images)
    slice_mm, row_mm, column_mm = canonical.spacing_mm
    geometry = CaseGeometry(
        stored_shape=tuple(int(size) for size in volume.shape),
        stored_affine=tuple(tuple(float(value) for value in row) for row in volume.affine),
        grid=grid,
        geometry=options.geometry,
        record_spacing_mm=(slice_mm * grid.slice_scale, row_mm * grid.row_scale, column_mm * grid.column_scale),
        intensity=intensity,
        neighbours=options.neighbours,
        space=volume.space,
    )
    labels = None if canonical.labels is None else resampling.labels_to_grid(canonical.labels, grid)
    return PreparedCase(images, labels, geometry, volume.placement or Placement.of(volume.affine))


def measure_case(volume: Volume, rule: IntensityRule) -> IntensityStatistics:
    """Measures a scan in any orientation as `prepare` would see it, for `pool_statistics`.

    Raises:
      InputError: the scan shows no body or no contrast.
    """
    canonical, body = _with_body(volume)
    return measure_intensity(canonical, rule, body)


def _with_body(volume: Volume) -> tuple[Volume, np.ndarray]:
    low, high = volume.voxels.min(), volume.voxels.max()
    if low == high:
        raise InputError(volume.where, "a scan with contrast", f"{low:g} in all voxels", "check the file")
    canonical = to_canonical(volume)
    # An array was cut out around what it shows, and its air may be anything.
    body = body_mask(canonical) if volume.space == PATIENT else np.ones(canonical.shape, bool)
    if not body.any():
        unit = ", in Hounsfield units" if volume.domain.kind == "ct" else ""
        raise InputError(
            volume.where,
            f"a {volume.domain.name} scan of a body{unit}",
            f"none in {low:g} to {high:g}",
            "check the file",
        )
    return canonical, body


def _check_within(volume: Volume, intensity: Intensity) -> None:
    """Refuses a scan of which nothing but one end of the range would be left."""
    low, high = volume.voxels.min(), volume.voxels.max()
    if high <= intensity.low or low >= intensity.high:
        raise InputError(
            volume.where,
            f"intensities within {intensity.low:g} to {intensity.high:g}",
            f"{low:g} to {high:g}",
            "check the unit of the file's intensities, or choose another intensity rule",
        )
