"""A slice with its neighbours as channels (2.5-D)."""

import numpy as np


def stack_neighbours(images: np.ndarray, index: int | None, neighbours: int) -> np.ndarray:
    """Puts slices and those beside them into channels; beyond the ends the last slice is repeated.

    Args:
      images: [slice, row, column] all slices of a prepared case, from inferior to superior.
      index: of one slice, or None for all.
      neighbours: slices on each side.

    Returns:
      [row, column, channel], or [slice, row, column, channel], a read-only view where it can be. Of the 2 · neighbours + 1
      channels the middle one is the slice itself, and the ones before it are the slices below.
    """
    if index is not None:
        places = np.clip(np.arange(index - neighbours, index + neighbours + 1), 0, len(images) - 1)
        return np.stack([images[place] for place in places], axis=-1)
    if not neighbours:
        return images[..., np.newaxis]
    padded = np.pad(images, ((neighbours, neighbours), (0, 0), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * neighbours + 1, axis=0)


def middle_channel(stacked: np.ndarray) -> np.ndarray:
    """The slice itself out of [..., channel], as [...]; also of a translated stack."""
    return stacked[..., stacked.shape[-1] // 2]
