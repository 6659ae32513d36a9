"""Windows: which raw values of a scan are shown black and white."""

import dataclasses

import numpy as np

from attent_tf.volumes import Volume

# Every n-th voxel along each axis is looked at for percentiles.
_STEP = 2


@dataclasses.dataclass(frozen=True)
class Window:
    """A window in which the grey values of a scan are shown.

    Attributes:
      title: the title for people.
      low, high: raw values that become black and white.
    """

    title: str
    low: float
    high: float

    def grey(self, voxels: np.ndarray) -> np.ndarray:
        """Returns voxels as uint8, 0 at `low` and below, 255 at `high` and above."""
        share = (np.asarray(voxels, np.float32) - np.float32(self.low)) / np.float32(self.high - self.low)
        return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


# In Hounsfield units; the first is what a page opens with.
CT_WINDOWS = (
    Window("Soft tissue (L 40, W 400)", -160.0, 240.0),
    Window("Narrow (L 80, W 200)", -20.0, 180.0),
    Window("Lung (L −600, W 1500)", -1350.0, 150.0),
    Window("Bone (L 400, W 1800)", -500.0, 1300.0),
)


def windows_of(volume: Volume) -> tuple[Window, ...]:
    """Returns the windows that suit a scan: the usual ones of a CT, otherwise out of its own values.

    Args:
      volume: a scan with contrast.
    """
    if volume.domain.kind == "ct":
        return CT_WINDOWS
    looked_at = np.asarray(volume.voxels[::_STEP, ::_STEP, ::_STEP], np.float32)
    middle, most = (tuple(np.percentile(looked_at, (0.5, share)).tolist()) for share in (99.5, 95.0))
    whole = Window("All values", float(volume.voxels.min()), float(volume.voxels.max()))
    chosen = (("Usual (percentiles 0.5 to 99.5)", middle), ("Dark tissue (percentiles 0.5 to 95)", most))
    # Where nearly all voxels have one value, percentiles are no window.
    return (*(Window(title, low, high) for title, (low, high) in chosen if low < high), whole)
