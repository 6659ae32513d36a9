"""Which voxels of a mask are its surface (needed for Eq. 10).

Tools differ in two things. Beyond the border of the volume lies background (medpy, the default here) or object (the
CHAOS challenge's own code), so that the cut face of a structure is surface in the one and not in the other. And a voxel
has neighbours across its faces (medpy's default, and ours), its edges or its corners.
"""

import itertools

import numpy as np

from attent_tf.errors import InputError

OUTSIDE = ("background", "object")
CONNECTIVITIES = (1, 2, 3)


def surface_voxels(mask: np.ndarray, outside: str = "background", connectivity: int = 1) -> np.ndarray:
    """Marks the object voxels that have a neighbour which is not object.

    Args:
      mask: [slice, row, column] bool, or an array of another rank.
      outside: what lies beyond the border of the array: `background` or `object`.
      connectivity: neighbours share a face (1; 6 of them in 3-D), at least an edge (2; 18) or at least a corner
        (3; 26). In 2-D, 2 and 3 both mean all 8.

    Returns:
      Bool array of the shape of `mask`.

    Raises:
      InputError: `outside` or `connectivity` is not one of these.
    """
    check_conventions(outside, connectivity)
    mask = np.asarray(mask).astype(bool, copy=False)
    padded = np.pad(mask, 1, constant_values=outside == "object")
    inner = mask.copy()
    # Neighbours that differ along at most so many axes fill the squares (lines, cubes) along each choice of them.
    for axes in itertools.combinations(range(mask.ndim), min(connectivity, mask.ndim)):
        inner &= _eroded(padded, axes)
    return np.asarray(mask & ~inner)


def check_conventions(outside: str, connectivity: int) -> None:
    """Raises InputError unless both are conventions that `surface_voxels` knows."""
    if outside not in OUTSIDE:
        raise InputError(f"outside: expected one of {', '.join(OUTSIDE)}, found {outside!r}")
    if connectivity not in CONNECTIVITIES:
        raise InputError(f"connectivity: expected one of {', '.join(map(str, CONNECTIVITIES))}, found {connectivity!r}")


def _eroded(padded: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Erodes along `axes` by three voxels each, and takes the padding off the others."""
    for axis in range(padded.ndim):
        before, at, after = (
            padded[(slice(None),) * axis + (part,)] for part in (slice(None, -2), slice(1, -1), slice(2, None))
        )
        padded = before & at & after if axis in axes else at
    return padded
