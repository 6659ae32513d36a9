"""Pixels of a DICOM slice that are no measurement but fill a round field up to a rectangle (PS3.3, C.7.5.1.1.2)."""

import numpy as np

AIR_HU = -1000.0


def padding_mask(
    stored: np.ndarray, padding: int, limit: int | None, bits_allocated: int, bits_stored: int, is_signed: bool
) -> np.ndarray:
    """Tells padding from measurements.

    Args:
      stored: [row, column] stored values, before any rescaling.
      padding: PixelPaddingValue.
      limit: PixelPaddingRangeLimit, the other end of a range that holds both ends, or None for a single value.
      bits_allocated, bits_stored: of a pixel.
      is_signed: PixelRepresentation.

    Returns:
      [row, column] boolean: what is padding.
    """
    ends = (padding, padding if limit is None else limit)
    if is_signed:
        # Files say them in signed and in unsigned numbers, whatever their pixels are: the bits count.
        ends = tuple(_signed(_signed(end, bits_allocated), bits_stored) for end in ends)
    low, high = min(ends), max(ends)
    # Round the circle of stored numbers, so that -2000 is also the unsigned number with the same bits.
    return (stored.astype(np.int64) - low) % 2**bits_stored <= high - low


def _signed(number: int, bits: int) -> int:
    """The number that the lowest bits make in two's complement, where it needs no more bits than that."""
    if not -(2 ** (bits - 1)) <= number < 2**bits:
        return number
    return number - 2**bits if number >= 2 ** (bits - 1) else number


def without_padding(pixels: np.ndarray, is_padding: np.ndarray, is_hounsfield: bool) -> np.ndarray:
    """Returns pixels with air in the place of padding.

    In Hounsfield units air is -1000. Padding below that stays: every window ends above it, and a NIfTI file made of the
    series has the same numbers. MR has no number for air: it is 0, or the lowest measurement where there are some below.

    Args:
      pixels: [row, column] rescaled values.
      is_padding: [row, column] from `padding_mask`.
      is_hounsfield: whether the values are Hounsfield units.
    """
    if is_hounsfield:
        return np.where(is_padding, np.minimum(pixels, AIR_HU), pixels)
    return np.where(is_padding, np.min(pixels, where=~is_padding, initial=0), pixels)
