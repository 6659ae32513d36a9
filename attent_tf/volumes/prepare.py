"""A scan made ready for a network, and the network's answer brought back to the scan's own voxels.

The same function serves the records on disk and a scan that a user segments, so that both see the same images.
"""

import dataclasses

import numpy as np

from attent_tf.errors import ConfigError, InputError
from attent_tf.volumes import resampling
from attent_tf.volumes.anatomy import check_canonical_anatomy
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.case_geometry import CaseGeometry
from attent_tf.volumes.grid import GEOMETRIES, fit_grid
from attent_tf.volumes.intensity import fit_intensity
from attent_tf.volumes.orientation import from_canonical, to_canonical
from attent_tf.volumes.volume import Volume


@dataclasses.dataclass(frozen=True)
class PrepareOptions:
    """How scans become records.

    Attributes:
      geometry: `physical` (pixels of `pixel_mm`, centred on the body) or `resize` (the whole slice, as in the paper).
      size: rows and columns of a record.
      pixel_mm: edge of a record pixel in millimetres, for `physical`.
    """

    geometry: str = "physical"
    size: int = 256
    pixel_mm: float = 1.6

    def __post_init__(self):
        if self.geometry not in GEOMETRIES:
            raise ConfigError(f"geometry: expected one of {', '.join(GEOMETRIES)}, found {self.geometry!r}")
        if self.size < 1:
            raise ConfigError(f"size: expected at least 1 pixel, found {self.size}")
        if not 0 < self.pixel_mm < float("inf"):
            raise ConfigError(f"pixel_mm: expected a length above 0 mm, found {self.pixel_mm}")


@dataclasses.dataclass(frozen=True)
class PreparedCase:
    """What becomes of a scan.

    Attributes:
      images: [slice, size, size] float32 in [−1, 1], slices inferior to superior.
      labels: [slice, size, size] uint8 class indices, or None.
      geometry: the way back to the scan.
    """

    images: np.ndarray
    labels: np.ndarray | None
    geometry: CaseGeometry


def prepare(volume: Volume, options: PrepareOptions | None = None) -> PreparedCase:
    """Turns a scan into canonical slices on the grid, with intensities in [−1, 1].

    Args:
      volume: any orientation.
      options: the defaults if None.

    Returns:
      One image for each canonical slice; −1 outside the scan's field.

    Raises:
      InputError: organs lie where they cannot, or the scan shows no body.
    """
    options = options or PrepareOptions()
    canonical = to_canonical(volume)
    body = body_mask(canonical)
    if not body.any():
        unit = ", in Hounsfield units" if volume.domain == "ct" else ""
        raise InputError(f"{volume.case}: expected a {volume.domain} scan of a body{unit}, found none; check the file")
    check_canonical_anatomy(canonical, body, volume.axis_codes)
    grid = fit_grid(canonical, options.geometry, options.size, options.pixel_mm, body)
    intensity = fit_intensity(canonical, body)
    slices, rows, columns = canonical.shape
    images = np.empty((slices, grid.size, grid.size), np.float32)
    for block in resampling.slice_blocks(slices, rows * columns):
        # Cut before averaging: what lies beyond the window must not bleed into its neighbours.
        images[block] = resampling.images_to_grid(intensity.normalise(canonical.voxels[block]), grid, fill=-1.0)
    # Weights are float32, so their sum may exceed 1 by a rounding.
    np.clip(images, -1.0, 1.0, out=images)
    slice_mm, row_mm, column_mm = canonical.spacing_mm
    geometry = CaseGeometry(
        stored_shape=tuple(int(size) for size in volume.shape),
        stored_affine=tuple(tuple(float(value) for value in row) for row in volume.affine),
        grid=grid,
        geometry=options.geometry,
        record_spacing_mm=(slice_mm, row_mm * grid.row_scale, column_mm * grid.column_scale),
        intensity=intensity,
    )
    labels = None if canonical.labels is None else resampling.labels_to_grid(canonical.labels, grid)
    return PreparedCase(images, labels, geometry)


def restore_labels(labels_on_grid: np.ndarray, geometry: CaseGeometry) -> np.ndarray:
    """Brings class indices back to the voxels of the scan.

    Args:
      labels_on_grid: [slice, size, size] class indices, one slice for each canonical slice of the scan.
      geometry: from `prepare`.

    Returns:
      [i, j, k] uint8 in stored order; background outside the grid.
    """
    _, rows, columns = _checked_shape(labels_on_grid, geometry)
    labels = resampling.labels_from_grid(labels_on_grid, geometry.grid, rows, columns)
    return from_canonical(labels, geometry.affine)


def restore_label_probabilities(probabilities_on_grid: np.ndarray, geometry: CaseGeometry) -> np.ndarray:
    """Brings probabilities back to the voxels of the scan and takes the most probable class there.

    Args:
      probabilities_on_grid: [slice, size, size, classes] float32.
      geometry: from `prepare`.

    Returns:
      [i, j, k] uint8 class indices in stored order; background outside the grid.
    """
    _, rows, columns = _checked_shape(probabilities_on_grid, geometry)
    labels = resampling.probabilities_from_grid(probabilities_on_grid, geometry.grid, rows, columns)
    return from_canonical(labels, geometry.affine)


def restore_image(images_on_grid: np.ndarray, geometry: CaseGeometry, voxels_outside: np.ndarray | float) -> np.ndarray:
    """Brings images back to the voxels of the scan; their values are not rescaled.

    Args:
      images_on_grid: [slice, size, size] values of any unit.
      geometry: from `prepare`.
      voxels_outside: what stands outside the grid, one value or [i, j, k] in stored order.

    Returns:
      [i, j, k] float32 in stored order.
    """
    slices, rows, columns = _checked_shape(images_on_grid, geometry)
    images = resampling.images_from_grid(images_on_grid, geometry.grid, rows, columns, fill=0.0)
    inside = np.broadcast_to(resampling.inside_grid(geometry.grid, rows, columns), (slices, rows, columns))
    restored = from_canonical(images, geometry.affine)
    return np.where(from_canonical(inside, geometry.affine), restored, np.asarray(voxels_outside, np.float32))


def _checked_shape(array: np.ndarray, geometry: CaseGeometry) -> tuple[int, int, int]:
    """The canonical shape of the scan, if `array` lies on its grid."""
    shape = geometry.canonical_shape
    expected = (shape[0], geometry.grid.size, geometry.grid.size)
    if array.shape[:3] != expected:
        raise ValueError(f"Argument must have shape {expected} on the grid of this case. Received: {array.shape}")
    return shape
