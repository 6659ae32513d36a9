"""Slices as pictures for a web page: scans in grey, entropy as heat, label maps as outlines with a light fill."""

import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import ndimage

from attent_tf.reporting.palette import rgb

_FILL = 0.16
_OUTLINE_PIXELS = 3
_ENLARGED = 2
# From dark to light, evenly in lightness; the stops of a heat scale that reads the same in grey.
_HEAT_STOPS = ("#0b0724", "#41106b", "#87216b", "#cc4248", "#f4851e", "#f9c932", "#fcffa4")


def body_box(image: np.ndarray, margin: int = 6) -> tuple[slice, slice]:
    """Finds the rows and columns that hold the body in any slice, so that little air is shown.

    Args:
      image: [slice, row, column] uint8.
      margin: pixels to leave around it.
    """
    brightest = ndimage.median_filter(image.max(axis=0), size=5)
    box = []
    for axis in (1, 0):
        inside = np.flatnonzero((brightest > 24).any(axis=axis))
        size = brightest.shape[1 - axis]
        if not inside.size:
            inside = np.array([0, size - 1])
        box.append(slice(max(int(inside[0]) - margin, 0), min(int(inside[-1]) + 1 + margin, size)))
    return box[0], box[1]


def grey_picture(image: np.ndarray, spacing_mm: tuple[float, float]) -> Image.Image:
    """Returns a slice in grey.

    Args:
      image: [row, column] uint8.
      spacing_mm: [row, column] distance of neighbouring pixels, from which the picture gets its proportions.
    """
    return Image.fromarray(image).resize(_picture_size(image.shape, spacing_mm), Image.Resampling.BICUBIC)


@functools.cache
def heat_table() -> np.ndarray:
    """Returns the colours [256, 3] uint8 of entropy 0 to 1: dark where the model is sure, evenly lighter from there."""
    stops = np.array([rgb(colour) for colour in _HEAT_STOPS], float)
    places = np.linspace(0, 255, len(stops))
    table = np.stack([np.interp(np.arange(256), places, stops[:, channel]) for channel in range(3)], axis=-1)
    return np.rint(table).astype(np.uint8)


def heat_gradient() -> str:
    """Returns the colours of `heat_table` as a CSS gradient from entropy 0 to 1."""
    return f"linear-gradient(to right, {', '.join(_HEAT_STOPS)})"


def overlay_picture(
    image: np.ndarray, labels: np.ndarray, colours: Sequence[str], spacing_mm: tuple[float, float]
) -> Image.Image:
    """Returns a slice in grey with every structure outlined and lightly filled in its colour.

    Args:
      image: [row, column] uint8.
      labels: [row, column] class indices.
      colours: `#rrggbb` of the classes from 1.
      spacing_mm: [row, column] distance of neighbouring pixels.
    """
    grey = grey_picture(image, spacing_mm)
    canvas = np.repeat(np.asarray(grey, float)[..., None], 3, axis=-1)
    for index, written in enumerate(colours, start=1):
        mask = _enlarged_mask(labels == index, grey.size)
        if not mask.any():
            continue
        inner = ndimage.binary_erosion(mask, iterations=_OUTLINE_PIXELS)
        rim = ndimage.binary_dilation(mask) & ~mask
        colour = np.array(rgb(written), float)
        canvas[inner] += _FILL * (colour - canvas[inner])
        canvas[mask & ~inner] = colour
        canvas[rim] *= 0.45
    return Image.fromarray(np.rint(canvas).astype(np.uint8))


def _picture_size(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> tuple[int, int]:
    rows, columns = shape
    return _ENLARGED * columns, max(1, round(_ENLARGED * rows * spacing_mm[0] / spacing_mm[1]))


def _enlarged_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    smooth = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(smooth) >= 128
