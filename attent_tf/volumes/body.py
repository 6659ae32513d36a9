"""Where the patient is, without labels."""

import numpy as np
from scipy import ndimage

from attent_tf.volumes.volume import Volume

_CT_AIR_HU = -300.0

# The mask is found on pixels of about this size: enough for centring and percentiles, and quick on a 512 × 512 CT.
_COARSE_MM = 2.5

_SLICES_AT_ONCE = 8

# A table is a shell thinner than twice this.
_OPENING_RADIUS_MM = 5.0


def body_mask(volume_canonical: Volume) -> np.ndarray:
    """Finds the body by its intensities alone.

    Of the kind `ct`: above −300 HU. Otherwise: above Otsu's threshold of the square root of intensities. Thin things (table,
    cables) go by an opening in the slice, separate ones (arms) by taking the largest component, and what the body encloses is
    filled.

    Args:
      volume_canonical: [slice, row, column] volume in canonical orientation, of any type and in any memory order.

    Returns:
      [slice, row, column] bool, exact to about 2.5 mm in the slice; all False if nothing stands out.
    """
    _, row_mm, column_mm = volume_canonical.spacing_mm
    row_step, column_step = (max(1, int(_COARSE_MM / spacing)) for spacing in (row_mm, column_mm))
    coarse = _block_means(volume_canonical.voxels, row_step, column_step)
    if volume_canonical.domain.kind == "ct":
        mask = coarse > _CT_AIR_HU
    else:
        coarse = ndimage.uniform_filter(coarse, size=(0, 3, 3))
        mask = coarse > _mr_threshold(coarse)
    mask = _largest_component(_opened(mask, row_mm * row_step, column_mm * column_step))
    mask = np.stack([ndimage.binary_fill_holes(slice_mask) for slice_mask in mask])
    _, rows, columns = volume_canonical.shape
    return mask.repeat(row_step, axis=1)[:, :rows].repeat(column_step, axis=2)[:, :, :columns]


def _block_means(voxels: np.ndarray, row_step: int, column_step: int) -> np.ndarray:
    """[slice, row, column] to the means of blocks of pixels, smaller blocks at the far border; float32."""
    slices, rows, columns = voxels.shape
    counts = np.outer(
        *(np.minimum(step, n - np.arange(0, n, step)) for n, step in ((rows, row_step), (columns, column_step)))
    )
    means = np.empty((slices, *counts.shape), np.float32)
    # A few slices at a time, so that a scan in integers never stands in memory as floats.
    for start in range(0, slices, _SLICES_AT_ONCE):
        block = np.array(voxels[start : start + _SLICES_AT_ONCE], np.float32, order="C")
        sums = _summed(_summed(block, column_step).swapaxes(1, 2), row_step).swapaxes(1, 2)
        means[start : start + _SLICES_AT_ONCE] = sums / counts
    return means


def _summed(block: np.ndarray, step: int) -> np.ndarray:
    """Sums runs of `step` numbers along the last axis, fewer at its end."""
    sums = block[..., ::step].copy()
    for offset in range(1, step):
        part = block[..., offset::step]
        sums[..., : part.shape[-1]] += part
    return sums


def _mr_threshold(intensities: np.ndarray) -> float:
    low, high = np.percentile(intensities, (0.5, 99.0))
    if not high > low:
        return np.inf
    # The square root keeps bright fluid from drawing the threshold into the tissue.
    roots = np.sqrt(np.clip((intensities - low) / (high - low), 0.0, 1.0))
    # Between a part of the bright tissue that noise does not reach and one that tissue does not fall below.
    part = float(np.clip(_otsu(roots) ** 2, 0.02, 0.2))
    return float(low + part * (high - low))


def _otsu(values: np.ndarray, bins: int = 256) -> float:
    """Threshold of values in [0, 1] that parts them into two classes with the largest variance between them."""
    counts, edges = np.histogram(values, bins=bins, range=(0.0, 1.0))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1].astype(np.float64)
    above = counts.sum() - below
    sum_below = np.cumsum(counts * centres)[:-1]
    sum_above = (counts * centres).sum() - sum_below
    gap = sum_above / np.maximum(above, 1) - sum_below / np.maximum(below, 1)
    return float(edges[1:-1][np.argmax(below * above * gap**2)])


def _opened(mask: np.ndarray, row_mm: float, column_mm: float) -> np.ndarray:
    row_reach, column_reach = (max(1, round(_OPENING_RADIUS_MM / spacing)) for spacing in (row_mm, column_mm))
    rows, columns = np.ogrid[-row_reach : row_reach + 1, -column_reach : column_reach + 1]
    disk = (rows / row_reach) ** 2 + (columns / column_reach) ** 2 <= 1.0
    eroded = ndimage.binary_erosion(mask, disk[None], border_value=1)
    opened = ndimage.binary_dilation(eroded, disk[None])
    return opened if opened.any() else mask


def _largest_component(mask: np.ndarray) -> np.ndarray:
    components, count = ndimage.label(mask)
    if count == 0:
        return mask
    # bincount makes 64-bit copies of what it counts.
    sizes = sum(np.bincount(plane.ravel(), minlength=count + 1) for plane in components)
    sizes[0] = 0
    return components == sizes.argmax()
