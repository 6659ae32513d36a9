"""Scans through the deployed chain: slice by slice there, and back onto the scan's own voxels."""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from attent_tf.errors import RunError
from attent_tf.inference.chain import Chain, ChainOutput
from attent_tf.runs import Run
from attent_tf.volumes import (
    PreparedCase,
    PrepareOptions,
    Volume,
    from_canonical,
    prepare,
    probabilities_from_grid,
    restore_image,
)
from attent_tf.volumes.intensity import CT_WINDOW_HU

_BATCH = 8

# MR intensities have no unit; a translation into MR style spans this range.
_MR_RANGE = (0.0, 1000.0)


def preparation(run: Run) -> PrepareOptions:
    """Returns how scans must be prepared for a run: as its training records were."""
    return PrepareOptions(**run.preparation)


def run_slices(chain: Chain, images: np.ndarray, batch_size: int = _BATCH) -> Iterator[tuple[slice, ChainOutput]]:
    """Runs slices through the chain in batches.

    Args:
      chain: from `load_chain`.
      images: [slices, size, size] float32 in [−1, 1].
      batch_size: slices at once; the result does not depend on it.

    Yields:
      Which slices, and the chain's output for them as NumPy arrays.
    """
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size, :, :, np.newaxis]
        # One batch size only, so that the graph is traced once.
        padded = np.concatenate([part, np.full((batch_size - len(part), *part.shape[1:]), -1.0, np.float32)])
        output = chain(tf.constant(padded))
        yield slice(start, start + len(part)), ChainOutput(*(value.numpy()[: len(part)] for value in output))


def segment_volume(
    chain: Chain, volume: Volume, options: PrepareOptions, report: Callable[[int], None] = lambda _: None
) -> np.ndarray:
    """Segments a scan.

    Args:
      chain: from `load_chain`.
      volume: a scan of the run's target domain, in any orientation.
      options: from `preparation`.
      report: called with the number of slices done since the last call.

    Returns:
      [i, j, k] uint8 class indices on the voxels of the scan.

    Raises:
      InputError: the scan shows no body.
    """
    prepared = prepare(volume, options)
    geometry = prepared.geometry
    labels = np.zeros(geometry.canonical_shape, np.uint8)
    _, rows, columns = labels.shape
    for part, output in run_slices(chain, prepared.images):
        # Probabilities go back to the scan's pixels before a class is chosen, so that outlines stay smooth.
        labels[part] = probabilities_from_grid(output.probabilities, geometry.grid, rows, columns)
        report(len(labels[part]))
    return from_canonical(labels, geometry.affine)


def translate_volume(
    chain: Chain,
    volume: Volume,
    options: PrepareOptions,
    source: str,
    report: Callable[[int], None] = lambda _: None,
) -> np.ndarray:
    """Shows a target scan in source style.

    Args:
      chain: of a method with a translator.
      volume: a scan of the run's target domain, in any orientation.
      options: from `preparation`.
      source: `mri` or `ct`, for the unit of the result.
      report: called with the number of slices done since the last call.

    Returns:
      [i, j, k] float32 on the voxels of the scan: HU within the CT window, or 0 … 1000 for MR, which has no unit. Outside
      the grid of the networks it is the lowest value.

    Raises:
      RunError: the method has no translator.
      InputError: the scan shows no body.
    """
    if chain.translator is None:
        raise RunError("this method has no translator; translate needs a run of cyclegan, pixel or attent")
    prepared: PreparedCase = prepare(volume, options)
    translated = np.empty_like(prepared.images)
    for part, output in run_slices(chain, prepared.images):
        translated[part] = output.translated[..., 0]
        report(len(translated[part]))
    low, high = CT_WINDOW_HU if source == "ct" else _MR_RANGE
    return restore_image(low + (high - low) * 0.5 * (translated + 1.0), prepared.geometry, low)
