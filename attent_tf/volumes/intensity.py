"""Raw intensities to [−1, 1] and back.

CT is in Hounsfield units, so one window serves all scans. MR has no unit: each volume is cut at percentiles of its own.
"""

import dataclasses

import numpy as np

from attent_tf.errors import InputError
from attent_tf.volumes.body import body_mask
from attent_tf.volumes.volume import Volume

CT_WINDOW_HU = (-160.0, 240.0)
MR_LOW_PERCENTILE = 0.5  # of the volume: air
MR_HIGH_PERCENTILE = 99.0  # of the body


@dataclasses.dataclass(frozen=True)
class Intensity:
    """The raw values that −1 and +1 stand for.

    Attributes:
      rule: how they were chosen, `ct_window` or `mr_percentile`.
      low: raw value of −1.
      high: raw value of +1.
    """

    rule: str
    low: float
    high: float

    def normalise(self, raw: np.ndarray) -> np.ndarray:
        """Raw intensities of any shape to float32 in [−1, 1]; what lies beyond `low` and `high` is cut."""
        values = np.array(raw, np.float32)
        values -= np.float32(self.low)
        values *= np.float32(2 / (self.high - self.low))
        values -= np.float32(1)
        return np.clip(values, -1, 1, out=values)

    def restore(self, normalised: np.ndarray) -> np.ndarray:
        """Values in [−1, 1] of any shape to float32 raw intensities."""
        half = np.float32((self.high - self.low) / 2)
        return (np.asarray(normalised, np.float32) + np.float32(1)) * half + np.float32(self.low)


def fit_intensity(canonical_volume: Volume, body: np.ndarray | None = None) -> Intensity:
    """Chooses the intensities of a case.

    Args:
      canonical_volume: [slice, row, column] volume in canonical orientation.
      body: [slice, row, column] bool, `body_mask(canonical_volume)` where it is known already.

    Returns:
      CT: the window −160..240 HU. MR: 0.5th percentile of the volume to 99th percentile of the body.

    Raises:
      InputError: an MR volume holds no contrast.
    """
    if canonical_volume.domain == "ct":
        return Intensity("ct_window", *CT_WINDOW_HU)
    voxels = canonical_volume.voxels
    body = body_mask(canonical_volume) if body is None else body
    low = float(np.percentile(voxels, MR_LOW_PERCENTILE))
    high = float(np.percentile(voxels[body] if body.any() else voxels, MR_HIGH_PERCENTILE))
    if not high > low:
        raise InputError(
            f"{canonical_volume.case}: expected an MR scan with contrast, found {low:g} as its low and its high "
            "intensity; check the file"
        )
    return Intensity("mr_percentile", low, high)
