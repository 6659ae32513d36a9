"""The grid on which tissues are painted, and the level functions that say where.

Patient space of the phantom, in millimetres: x grows to the patient's right, y to the front, z to the head (RAS+). The
origin lies on the midline, in the middle of the abdominal cavity, between the first and the second lumbar vertebra.

A level function is negative inside a shape, positive outside, and nearly the distance to its surface in millimetres.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import scipy.interpolate

from attent_tf.phantom.fields import SmoothField

_FAR_MM = 1e3


@dataclasses.dataclass(frozen=True)
class Warp:
    """Random displacement of the whole anatomy, so that no outline is an exact ellipsoid."""

    x: SmoothField
    y: SmoothField
    z: SmoothField

    @classmethod
    def draw(cls, rng: np.random.Generator, spacing_mm: float = 55.0, amplitude_mm: float = 3.0) -> "Warp":
        return cls(*(SmoothField(rng, spacing_mm, amplitude_mm) for _ in range(3)))

    @property
    def bound_mm(self) -> float:
        return max(self.x.bound, self.y.bound, self.z.bound)


@dataclasses.dataclass(frozen=True)
class Canvas:
    """Tissues on a grid, with the place in the undeformed anatomy that each voxel shows.

    Attributes:
      z_mm, y_mm, x_mm: [slice], [row], [column] patient coordinates of the grid; evenly spaced.
      x, y, z: [slice, row, column] float32 anatomy coordinates (mm), after the warp.
      tissues: [slice, row, column] uint8 tissue numbers.
      margin_mm: greatest displacement of the warp.
      cavity: [slice, row, column] level function of the space within the muscle ring, once the torso has set it.
      abdomen: [slice, row, column] level function of the part of that space that lies under the diaphragm, likewise.
    """

    z_mm: np.ndarray
    y_mm: np.ndarray
    x_mm: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    tissues: np.ndarray
    margin_mm: float
    cavity: np.ndarray | None = None
    abdomen: np.ndarray | None = None

    @classmethod
    def blank(cls, z_mm: np.ndarray, y_mm: np.ndarray, x_mm: np.ndarray, warp: Warp) -> "Canvas":
        """Returns a canvas outside the patient everywhere (tissue 0)."""
        axes = (z_mm, y_mm, x_mm)
        x, y, z = warp.x(*axes), warp.y(*axes), warp.z(*axes)
        x += np.asarray(x_mm, np.float32)
        y += np.asarray(y_mm, np.float32)[:, None]
        z += np.asarray(z_mm, np.float32)[:, None, None]
        return cls(z_mm, y_mm, x_mm, x, y, z, np.zeros(x.shape, np.uint8), warp.bound_mm)

    @property
    def is_empty(self) -> bool:
        return not self.tissues.size

    def crop(self, low_mm: Sequence[float], high_mm: Sequence[float]) -> "Canvas":
        """Returns the part between two corners (x, y, z), sharing memory: painting it paints this canvas."""
        bounds = zip(low_mm, high_mm, (self.x_mm, self.y_mm, self.z_mm), strict=True)
        x, y, z = (_indices(axis, low - self.margin_mm, high + self.margin_mm) for low, high, axis in bounds)
        box = (slice(*z), slice(*y), slice(*x))
        axes = (axis[span] for axis, span in zip((self.z_mm, self.y_mm, self.x_mm), box, strict=True))
        places = (self.x[box], self.y[box], self.z[box], self.tissues[box])
        levels = (None if level is None else level[box] for level in (self.cavity, self.abdomen))
        return Canvas(*axes, *places, self.margin_mm, *levels)

    def around(self, centre_mm: Sequence[float], reach_mm: float | Sequence[float]) -> "Canvas":
        """Returns the part within `reach_mm` of a point (x, y, z), sharing memory."""
        centre, reach = np.asarray(centre_mm), np.asarray(reach_mm)
        return self.crop(centre - reach, centre + reach)

    def fill(self, mask: np.ndarray, tissue: int) -> None:
        """Paints `tissue` where `mask` holds."""
        self.tissues[mask] = tissue

    def sample(self, field: SmoothField) -> np.ndarray:
        """Returns the field [slice, row, column] on this canvas's grid."""
        return field(self.z_mm, self.y_mm, self.x_mm)


def _indices(axis: np.ndarray, low, high) -> tuple:
    """Returns the first index, and one after the last, of the values of `axis` between `low` and `high` (each [...]).

    The axis is evenly spaced and rises or falls.
    """
    count = len(axis)
    if count < 2:
        return np.zeros_like(low, int), np.full_like(low, count, int)
    start, step = axis[0], axis[1] - axis[0]
    ends = (low - start) / step, (high - start) / step
    first, last = ends if step > 0 else ends[::-1]
    begin = np.clip(np.ceil(first), 0, count).astype(int)
    return begin, np.maximum(np.clip(np.floor(last) + 1, 0, count).astype(int), begin)


def smooth_max(first: np.ndarray, second: np.ndarray, width_mm: float) -> np.ndarray:
    """Returns max(first, second) with the edge rounded over `width_mm`: the intersection of two shapes."""
    overlap = np.maximum(width_mm - np.abs(first - second), 0)
    return np.maximum(first, second) + overlap * overlap * (0.25 / width_mm)


def ellipsoid(
    canvas: Canvas, centre_mm: Sequence[float], radii_mm: Sequence[float], axes: np.ndarray | None = None
) -> np.ndarray:
    """Returns the level function of an ellipsoid.

    Args:
      canvas: where to evaluate it.
      centre_mm: (x, y, z).
      radii_mm: half-lengths along the ellipsoid's own three axes.
      axes: [3, 3], its rows are the own axes as unit vectors (x, y, z); the patient's axes by default.
    """
    offsets = [values - np.float32(c) for values, c in zip((canvas.x, canvas.y, canvas.z), centre_mm, strict=True)]
    if axes is not None:
        offsets = [sum(np.float32(w) * offset for w, offset in zip(row, offsets, strict=True)) for row in axes]
    scaled = gradient = 0
    for offset, radius in zip(offsets, radii_mm, strict=True):
        square = (offset * np.float32(1 / radius)) ** 2
        scaled = scaled + square
        gradient = gradient + square * np.float32(1 / radius**2)
    # The small numbers give the centre itself, where the ratio is 0 / 0, the depth of its neighbours.
    scaled = np.sqrt(scaled + np.float32(1e-10))
    return scaled * (scaled - 1) / np.sqrt(gradient + np.float32(1e-10 / min(radii_mm) ** 2))


def curve(points: Sequence[Sequence[float]], step: float = 0.45) -> np.ndarray:
    """Returns spheres (x, y, z, radius) [n, 4] along a smooth line through `points`, given in the same form.

    Neighbouring spheres lie about `step` of their radius apart.
    """
    points = np.asarray(points, np.float64)
    lengths = np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1)
    knots = np.concatenate([[0.0], np.cumsum(lengths)])
    count = int(np.ceil(lengths @ (2 / (points[1:, 3] + points[:-1, 3])) / step)) + 1
    return scipy.interpolate.PchipInterpolator(knots, points)(np.linspace(0, knots[-1], max(count, 2)))


def tube(canvas: Canvas, spheres: np.ndarray, reach_mm: float = 6.0) -> np.ndarray:
    """Returns the level function of a chain of spheres [n, 4], exact up to `reach_mm` outside and far beyond."""
    level = np.full(canvas.x.shape, _FAR_MM, np.float32)
    reaches = spheres[:, 3] + (reach_mm + canvas.margin_mm)
    bounds = []
    for axis, places in ((canvas.z_mm, spheres[:, 2]), (canvas.y_mm, spheres[:, 1]), (canvas.x_mm, spheres[:, 0])):
        bounds += _indices(axis, places - reaches, places + reaches)
    seen = (bounds[1] > bounds[0]) & (bounds[3] > bounds[2]) & (bounds[5] > bounds[4])
    boxes = np.stack(bounds, axis=1)[seen].tolist()
    for (x, y, z, radius), (z0, z1, y0, y1, x0, x1) in zip(spheres[seen].tolist(), boxes, strict=True):
        box = (slice(z0, z1), slice(y0, y1), slice(x0, x1))
        distance = (canvas.x[box] - np.float32(x)) ** 2
        distance += (canvas.y[box] - np.float32(y)) ** 2
        distance += (canvas.z[box] - np.float32(z)) ** 2
        np.sqrt(distance, out=distance)
        distance -= np.float32(radius)
        np.minimum(level[box], distance, out=level[box])
    return level


def around_spheres(canvas: Canvas, spheres: np.ndarray, reach_mm: float = 6.0) -> Canvas:
    """Returns the part of the canvas that holds all `spheres` [n, 4], sharing memory."""
    radii = spheres[:, 3:] + reach_mm
    return canvas.crop((spheres[:, :3] - radii).min(0), (spheres[:, :3] + radii).max(0))


def paint_tube(canvas: Canvas, spheres: np.ndarray, tissue: int, only: int | None = None) -> None:
    """Paints a chain of spheres [n, 4], everywhere or only where the tissue has been `only`."""
    part = around_spheres(canvas, spheres, 1.0)
    inside = tube(part, spheres, 1.0) < 0
    part.fill(inside if only is None else inside & (part.tissues == only), tissue)


def rotation(axis: str, degrees: float) -> np.ndarray:
    """Returns the right-handed rotation [3, 3] about a patient axis, `x`, `y` or `z`."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[[first, second], [first, second]] = cosine
    matrix[first, second], matrix[second, first] = -sine, sine
    return matrix
