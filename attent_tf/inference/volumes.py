"""Scans through the deployed chain: slice by slice there, and back onto the scan's own voxels."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np

from attent_tf.errors import RunError
from attent_tf.inference.output import ChainOutput
from attent_tf.runs import Run
from attent_tf.volumes import (
    PreparedCase,
    PrepareOptions,
    Volume,
    from_canonical,
    middle_channel,
    prepare,
    restore_image,
    stack_neighbours,
)
from attent_tf.volumes.resampling import probability_blocks_from_grid

_BATCH = 8

# Where each source scan had intensities of its own (MR has no unit), a translation into their style spans this range.
_UNITLESS_RANGE = (0.0, 1000.0)


class Chain(Protocol):
    """What is asked of a chain: `attent_tf.inference.chain.Chain`, or `attent_tf.serving.RemoteChain` in its place.

    Attributes:
      translator: None for methods without a translator.
    """

    translator: object | None

    def __call__(self, images: np.ndarray) -> ChainOutput:
        """Segments `images` [batch, size, size, channels] float32 in [−1, 1]."""


def preparation(run: Run) -> PrepareOptions:
    """Returns how scans must be prepared for a run: as its training records were."""
    return run.prepare_options


def run_slices(chain: Chain, images: np.ndarray, batch_size: int = _BATCH) -> Iterator[tuple[slice, ChainOutput]]:
    """Runs slices through the chain in batches.

    Args:
      chain: from `load_chain`, or a `RemoteChain`.
      images: [slices, size, size, channels] float32 in [−1, 1].
      batch_size: slices at once; the result does not depend on it.

    Yields:
      Which slices, and the chain's output for them as NumPy arrays.
    """
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size]
        # One batch size only, so that the graph is traced once.
        padded = np.concatenate([part, np.full((batch_size - len(part), *part.shape[1:]), -1.0, np.float32)])
        output = chain(padded)
        yield (
            slice(start, start + len(part)),
            ChainOutput(*(None if value is None else np.asarray(value)[: len(part)] for value in output)),
        )


def segment_volume(
    chain: Chain, volume: Volume, options: PrepareOptions, report: Callable[[int], None] = lambda _: None
) -> np.ndarray:
    """Segments a scan.

    Args:
      chain: from `load_chain`, or a `RemoteChain`.
      volume: a scan of the run's target domain, in any orientation.
      options: from `preparation`.
      report: called with the number of the scan's slices done since the last call.

    Returns:
      [i, j, k] uint8 class indices on the voxels of the scan.

    Raises:
      InputError: the scan shows no body.
    """
    prepared = prepare(volume, options)
    geometry = prepared.geometry
    labels = np.zeros(geometry.canonical_shape, np.uint8)
    stacked = stack_neighbours(prepared.images, None, options.neighbours)
    answers = (output.probabilities for _, output in run_slices(chain, stacked))
    # Probabilities go back to the scan's voxels before a class is chosen, so that outlines stay smooth.
    for part, found in probability_blocks_from_grid(answers, geometry.grid, labels.shape):
        labels[part] = found
        report(part.stop - part.start)
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
      report: called with the number of the scan's slices done since the last call.

    Returns:
      [i, j, k] float32 on the voxels of the scan, within the window of the source domain's intensity rule (CT: HU); where
      each source scan had its own, 0 … 1000. Outside the grid of the networks it is the lowest value.

    Raises:
      RunError: the method has no translator.
      InputError: the scan shows no body.
    """
    if chain.translator is None:
        raise RunError("this method has no translator; translate needs a run of cyclegan, pixel or attent")
    prepared: PreparedCase = prepare(volume, options)
    translated = np.empty_like(prepared.images)
    slices, reported = prepared.geometry.canonical_shape[0], 0
    for part, output in run_slices(chain, stack_neighbours(prepared.images, None, options.neighbours)):
        translated[part] = middle_channel(output.translated)
        done = slices * part.stop // len(translated)
        report(done - reported)
        reported = done
    rule = options.intensity_rule(source)
    low, high = (rule.low, rule.high) if rule.kind == "window" else _UNITLESS_RANGE
    return restore_image(low + (high - low) * 0.5 * (translated + 1.0), prepared.geometry, low)
