"""Surface Dice weighed by area, as Nikolov et al. (2018, arXiv:1809.04430) define it.

Where `surface_voxels` counts voxels, here the surface runs between voxels: in each cube of 2×2×2 voxel centres it is a
piece of a polyhedron (marching cubes), which counts with its area and lies at the middle of the cube. Beyond the border
of the volume is background.

How a piece follows from which of the 8 centres are object: it cuts the cube's edges in their middles, separates the
corners that are in the minority from the others, and where a polygon is not flat it is cut into those triangles that have
the largest area on a cubic grid. Each of the 256 patterns thus has the area that the package `surface-distance` looks up.
"""

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from attent_tf.errors import InputError
from attent_tf.metrics.boxes import box_of_masks
from attent_tf.metrics.overlap import as_masks
from attent_tf.metrics.surface_distances import nearest_distances
from attent_tf.metrics.voxel_axes import checked_spacing

Corner = tuple[int, int, int]
Edge = tuple[Corner, Corner]

_CORNERS: tuple[Corner, ...] = tuple((a, b, c) for a, b, c in itertools.product((0, 1), repeat=3))
_EDGES: tuple[Edge, ...] = tuple(
    (a, b) for a, b in itertools.combinations(_CORNERS, 2) if sum(x != y for x, y in zip(a, b, strict=True)) == 1
)


def surface_dice_by_area(
    prediction: np.ndarray, reference: np.ndarray, tolerance_mm: float, spacing_mm: Sequence[float]
) -> float:
    """The share of both surfaces' area that is no farther than a tolerance from the other surface.

    Args:
      prediction: [slice, row, column] bool.
      reference: [slice, row, column] bool.
      tolerance_mm: in millimetres.
      spacing_mm: [slice, row, column] distance of neighbouring voxel centres, in millimetres; axes are perpendicular.

    Returns:
      A fraction in [0, 1]; 0 if only one mask is empty, NaN if both are.

    Raises:
      InputError: the masks are not 3-D, their shapes differ, or the spacing cannot be used.
    """
    prediction, reference = as_masks(prediction, reference)
    if prediction.ndim != 3:
        raise InputError(f"surface Dice by area: expected masks [slice, row, column], found shape {prediction.shape}")
    sampling = checked_spacing(spacing_mm, 3)
    box = box_of_masks(prediction, reference)
    table = areas_of_patterns(sampling)
    patterns = [_patterns(mask[box]) for mask in (prediction, reference)]
    pieces = [(pattern > 0) & (pattern < 255) for pattern in patterns]
    near = total = 0.0
    for side, opposite in ((0, 1), (1, 0)):
        (distances,) = nearest_distances(pieces[side], pieces[opposite], [np.diag(sampling)])
        areas = table[patterns[side][pieces[side]]]
        near, total = near + areas[distances <= tolerance_mm].sum(), total + areas.sum()
    return float(near / total) if total else float("nan")


@functools.lru_cache(maxsize=16)
def areas_of_patterns(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """Returns [256] the area, in mm², of the piece of surface in a cube; bit n of a pattern is corner n, (0, 0, 1) being 1."""
    return np.array([sum(map(_area(spacing_mm), _triangles(pattern))) for pattern in range(256)])


def _patterns(mask: np.ndarray) -> np.ndarray:
    """[slices + 1, rows + 1, columns + 1] uint8: which of the 8 voxels around each meeting point of voxels are object."""
    padded = np.pad(mask, 1).view(np.uint8)
    size = tuple(length + 1 for length in mask.shape)
    result = np.zeros(size, np.uint8)
    for bit, corner in enumerate(_CORNERS):
        window = tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))
        result |= padded[window] << bit
    return result


def _area(spacing_mm: tuple[float, float, float]) -> Callable[[np.ndarray], float]:
    def area(triangle: np.ndarray) -> float:
        a, b, c = triangle * spacing_mm
        return float(np.linalg.norm(np.cross(b - a, c - a))) / 2

    return area


@functools.cache
def _triangles(pattern: int) -> tuple[np.ndarray, ...]:
    """The triangles, each [3 vertices, 3], of the piece of surface in a cube of edge 1."""
    corners = {corner for bit, corner in enumerate(_CORNERS) if pattern >> bit & 1}
    if len(corners) > 4:
        corners = set(_CORNERS) - corners
    area = _area((1.0, 1.0, 1.0))
    triangles: list[np.ndarray] = []
    for part in _connected(corners):
        vertices = np.array([np.mean(edge, axis=0) for edge in _outline(part)])
        ways = [[vertices[list(chosen)] for chosen in way] for way in _triangulations(0, len(vertices) - 1)]
        triangles += max(ways, key=lambda way: round(sum(map(area, way)), 9))
    return tuple(triangles)


def _connected(corners: set[Corner]) -> Iterator[set[Corner]]:
    """Parts that are connected along edges of the cube."""
    left = set(corners)
    while left:
        part, growing = set(), {min(left)}
        while growing:
            part |= growing
            left -= growing
            growing = {c for c in left if any((min(c, p), max(c, p)) in _EDGES for p in part)}
        yield part


def _outline(part: set[Corner]) -> list[Edge]:
    """The edges that the polygon around a part cuts, in the order in which it does."""
    cut = [edge for edge in _EDGES if (edge[0] in part) != (edge[1] in part)]
    order = [cut.pop(0)]
    while cut:
        # Parts have at most 4 corners that hang together, so the polygon crosses each face of the cube once at most.
        order.append(next(edge for edge in cut if _share_a_face(edge, order[-1])))
        cut.remove(order[-1])
    return order


def _share_a_face(first: Edge, second: Edge) -> bool:
    corners = np.array([*first, *second])
    return bool((corners == corners[0]).all(axis=0).any())


def _triangulations(first: int, last: int) -> Iterator[list[tuple[int, int, int]]]:
    """All ways to cut a polygon with the vertices `first` to `last` into triangles."""
    if last - first < 2:
        yield []
        return
    for middle in range(first + 1, last):
        for left in _triangulations(first, middle):
            for right in _triangulations(middle, last):
                yield [*left, *right, (first, middle, last)]
