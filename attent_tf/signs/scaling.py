"""Slices enlarged or shrunk about their centre, and label maps brought back."""

import numpy as np

_AIR = -1.0
_BACKGROUND = 0


def scale_images(images: np.ndarray, factor: float) -> np.ndarray:
    """Scales slices about their centre, with linear interpolation along rows and columns; beyond the slice lies air.

    Args:
      images: [slices, size, size, channels] float32 in [−1, 1].
      factor: above 1 enlarges.

    Returns:
      An array of the same shape and type.
    """
    weights = _weights(images.shape[1], 1.0 / factor)
    # Air is the zero of the sum, so that what lies beyond the slice becomes air.
    scaled = np.einsum("ip,spqc,jq->sijc", weights, images - _AIR, weights, optimize=True) + _AIR
    return np.clip(scaled, -1.0, 1.0).astype(images.dtype)


def scale_labels_back(labels: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Brings label maps of scaled slices back to the slices' own pixels, by the nearest pixel.

    Args:
      labels: [slices, size, size] class indices of slices that `scale_images` scaled.
      factor: by which.

    Returns:
      The maps on the slices' own pixels, and [size, size] bool: the pixels that the scaled slices showed.
    """
    size = labels.shape[1]
    places = _places(size, factor)
    seen = (places >= 0) & (places <= size - 1)
    kept = np.clip(np.floor(places + 0.5).astype(np.int64), 0, size - 1)
    inside = seen[:, np.newaxis] & seen
    return np.where(inside, labels[:, kept][:, :, kept], _BACKGROUND).astype(labels.dtype), inside


def _places(size: int, factor: float) -> np.ndarray:
    """Where pixels lie after their distance from the centre was multiplied by `factor`."""
    centre = (size - 1) / 2
    return centre + (np.arange(size) - centre) * factor


def _weights(size: int, factor: float) -> np.ndarray:
    """[size, size] weights of linear interpolation at `_places`; pixels beyond the edge weigh nothing."""
    distance = np.abs(_places(size, factor)[:, np.newaxis] - np.arange(size))
    return np.maximum(0.0, 1.0 - distance).astype(np.float32)
