"""Smooth random fields in patient millimetres, the source of every irregular outline and texture."""

import numpy as np
import scipy.ndimage

_REACH_MM = 330.0


class SmoothField:
    """A random scalar field: a lattice of normal numbers under cubic B-splines.

    The field is a function of place, not of the grid on which it is sampled, so that two grids see the same anatomy.

    Args:
      rng: source of the lattice values.
      spacing_mm: lattice spacing; features are about twice as wide.
      amplitude: standard deviation of the field at the lattice points.
    """

    def __init__(self, rng: np.random.Generator, spacing_mm: float, amplitude: float):
        self._spacing_mm = spacing_mm
        self._count = int(np.ceil(2 * _REACH_MM / spacing_mm)) + 4
        values = np.clip(rng.standard_normal((self._count,) * 3, np.float32), -2.0, 2.0)
        # Variance of a cubic B-spline sum at a lattice point: (1/36 + 16/36 + 1/36) per axis.
        self._lattice = values * np.float32(amplitude / np.sqrt(0.5) ** 3)
        smoothed = self._lattice
        for axis in range(3):
            smoothed = scipy.ndimage.convolve1d(smoothed, [1 / 6, 4 / 6, 1 / 6], axis)
        # Between lattice points the field exceeds its value at them by little.
        self.bound = 1.2 * float(np.abs(smoothed).max())

    def __call__(self, z_mm: np.ndarray, y_mm: np.ndarray, x_mm: np.ndarray) -> np.ndarray:
        """Returns the field [slice, row, column] (float32) on the grid that the three axes (mm) span."""
        (z_span, z_weights), (y_span, y_weights), (x_span, x_weights) = map(self._weights, (z_mm, y_mm, x_mm))
        # Not matrix products: BLAS threads would get in the way of other processes, and may change the last bits.
        along_x = np.einsum("ijk,xk->ijx", self._lattice[z_span, y_span, x_span], x_weights)
        along_y = np.einsum("yj,ijx->iyx", y_weights, along_x)
        rows_columns = along_y.reshape(along_y.shape[0], len(y_mm) * len(x_mm))
        return np.einsum("zi,in->zn", z_weights, rows_columns).reshape(len(z_mm), len(y_mm), len(x_mm))

    def _weights(self, positions_mm: np.ndarray) -> tuple[slice, np.ndarray]:
        """Returns the lattice indices that matter along one axis, and their weights [position, lattice index]."""
        place = (np.asarray(positions_mm, np.float64) + _REACH_MM) / self._spacing_mm + 1
        place = np.clip(place, 1, self._count - 3.001)
        base = place.astype(int)
        t = place - base
        basis = (
            (1 - t) ** 3 / 6,
            (3 * t**3 - 6 * t**2 + 4) / 6,
            (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
            t**3 / 6,
        )
        first, last = (int(base.min()) - 1, int(base.max()) + 2) if base.size else (0, 0)
        weights = np.zeros((len(place), last - first + 1), np.float32)
        for offset, values in enumerate(basis):
            weights[np.arange(len(place)), base - 1 - first + offset] = values
        return slice(first, last + 1), weights
