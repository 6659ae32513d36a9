"""Scans through the deployed chain: slice by slice there, and back onto the scan's own voxels.

What the chain says of the whole scan is never held at once: each batch is resampled and kept as a class, and where asked for
as bytes, before the next one is asked of the chain. A chain is `attent_tf.inference.chain.Chain`, or anything that is called
with [batch, size, size, channels] float32 slices, returns a `ChainOutput`, and has `has_translator`. No TensorFlow is loaded.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from attent_tf.errors import RunError
from attent_tf.inference.batches import DEFAULT_BATCH, run_slices
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing
from attent_tf.stopwatch import Stopwatch
from attent_tf.tasks import Domain, IntensityRule
from attent_tf.volumes import (
    PreparedCase,
    PrepareOptions,
    middle_channel,
    restore_image,
    stack_neighbours,
)
from attent_tf.volumes.blocks_from_grid import blocks_from_grid
from attent_tf.volumes.orientation import canonical_view

if TYPE_CHECKING:
    from attent_tf.inference.chain import Chain

# Where each source scan had intensities of its own, without a unit, a translation into their style spans this range.
_UNITLESS_RANGE = (0.0, 1000.0)

# Bytes stand for values from 0 to 1.
_ONE = 255


@dataclasses.dataclass(frozen=True)
class Segmentation:
    """What is known of a scan after it was segmented; arrays are filled by `segment_prepared`.

    Attributes:
      labels: [i, j, k] uint8 class indices on the voxels of the scan.
      entropy: [i, j, k] uint8, 255 for entropy 1 (Eq. 6), 0 outside the grid; or None.
      probabilities: [i, j, k, classes] uint8, 255 for 1, 0 outside the grid, where no class has any; or None.
      labels_on_grid: [slice, size, size] uint8, the classes on the prepared slices.
      entropy_sums, pixels: [classes] float64 and int64, of each class on the prepared slices.
    """

    labels: np.ndarray
    entropy: np.ndarray | None
    probabilities: np.ndarray | None
    labels_on_grid: np.ndarray
    entropy_sums: np.ndarray
    pixels: np.ndarray

    @classmethod
    def blank(
        cls,
        prepared: PreparedCase,
        num_classes: int,
        entropy: bool = False,
        probabilities: np.ndarray | None = None,
    ) -> "Segmentation":
        """Makes room for the answer on a prepared scan.

        Args:
          prepared: the scan.
          num_classes: C.
          entropy: whether to keep the entropy map.
          probabilities: [i, j, k, classes] uint8 zeros to fill, which may lie on disk (`numpy.memmap`), or None.
        """
        shape = prepared.geometry.stored_shape
        return cls(
            # In the order in which NIfTI stores voxels.
            labels=np.zeros(shape, np.uint8, order="F"),
            entropy=np.zeros(shape, np.uint8, order="F") if entropy else None,
            probabilities=probabilities,
            labels_on_grid=np.zeros(prepared.images.shape, np.uint8),
            entropy_sums=np.zeros(num_classes, np.float64),
            pixels=np.zeros(num_classes, np.int64),
        )

    @property
    def num_classes(self) -> int:
        """Number of classes with the background."""
        return len(self.pixels)

    @property
    def mean_entropy(self) -> float:
        """Mean of Eq. 6 over all pixels of the prepared slices."""
        return float(self.entropy_sums.sum() / max(1, self.pixels.sum()))

    def entropy_of(self, index: int) -> float | None:
        """Mean of Eq. 6 over the pixels that were given to class `index`; None if there are none."""
        return float(self.entropy_sums[index] / self.pixels[index]) if self.pixels[index] else None


def segment_prepared(
    chain: "Chain",
    prepared: PreparedCase,
    answer: Segmentation,
    report: Callable[[int], None] = lambda _: None,
    batch_size: int = DEFAULT_BATCH,
    watch: Stopwatch | None = None,
    postprocessing: Postprocessing = NO_POSTPROCESSING,
) -> None:
    """Segments a prepared scan into `answer`.

    Args:
      chain: from `load_chain`.
      prepared: from `prepare`.
      answer: from `Segmentation.blank`; what it has room for is filled.
      report: called with the number of the scan's slices done since the last call.
      batch_size: slices at once; the result does not depend on it.
      watch: is told the time of the phases `network` and `resampling`, and of `postprocessing` where there is any.
      postprocessing: what is done to both label maps; entropy and probabilities are the networks' own.
    """
    watch = watch or Stopwatch()
    geometry, num_classes = prepared.geometry, answer.num_classes
    labels, entropy, probabilities = (
        None if array is None else canonical_view(array, geometry.affine)
        for array in (answer.labels, answer.entropy, answer.probabilities)
    )
    outputs = _slices_of_answers(chain, prepared, answer, batch_size, watch, entropy is not None)
    # Probabilities go back to the scan's voxels before a class is chosen, so that outlines stay smooth.
    for block in blocks_from_grid(outputs, geometry.grid, geometry.canonical_shape):
        with watch.phase("resampling"):
            labels[block.part] = block.largest(num_classes)
            if entropy is not None:
                entropy[block.part] = _as_bytes(block.values(num_classes))
            if probabilities is not None:
                for index in range(num_classes):
                    probabilities[block.part, ..., index] = _as_bytes(block.values(index))
        report(block.part.stop - block.part.start)
    if postprocessing:
        with watch.phase("postprocessing"):
            # In canonical orientation, so that of equal parts the same one stays however a scan is stored.
            for found in (labels, answer.labels_on_grid):
                found[:] = postprocessing(found)


def translate_prepared(
    chain: "Chain",
    prepared: PreparedCase,
    options: PrepareOptions,
    source: Domain,
    report: Callable[[int], None] = lambda _: None,
    batch_size: int = DEFAULT_BATCH,
    watch: Stopwatch | None = None,
) -> np.ndarray:
    """Shows a prepared target scan in source style.

    Args:
      chain: the chain of a method with a translator.
      prepared: from `prepare`.
      options: how scans are prepared for the run: its `prepare_options`.
      source: the domain whose style the chain gives, for the unit of the result: the run's source.
      report: called with the number of the scan's slices done since the last call.
      batch_size: slices at once; the result does not depend on it.
      watch: is told the time of the phases `network` and `resampling`.

    Returns:
      [i, j, k] float32 on the voxels of the scan, within the window of the source domain's intensity rule (in HU where it
      is CT); where each source scan had its own, 0 … 1000. Outside the grid of the networks it is the lowest value.

    Raises:
      RunError: the method has no translator.
    """
    if not chain.has_translator:
        raise RunError(
            "this chain has no translator; take the run, not an export, of a method that translates what it deploys"
        )
    watch = watch or Stopwatch()
    translated = np.empty_like(prepared.images)
    slices, reported = prepared.geometry.canonical_shape[0], 0
    stacked = stack_neighbours(prepared.images, None, options.neighbours)
    low, high = style_range(options.intensity_rule(source))
    for part, output in run_slices(chain, stacked, batch_size, watch):
        translated[part] = low + (high - low) * 0.5 * (middle_channel(output.translated) + 1.0)
        done = slices * part.stop // len(translated)
        report(done - reported)
        reported = done
    with watch.phase("resampling"):
        return restore_image(translated, prepared.geometry, low)


def style_range(rule: IntensityRule) -> tuple[float, float]:
    """Returns the values that −1 and +1 become in a scan in the style of a domain with this rule: its window, or 0 and 1000."""
    return (rule.low, rule.high) if rule.kind == "window" else _UNITLESS_RANGE


def _slices_of_answers(
    chain: "Chain", prepared: PreparedCase, answer: Segmentation, batch_size: int, watch: Stopwatch, entropy: bool
) -> Iterator[np.ndarray]:
    """Yields [slices, size, size, classes] probabilities, with the entropy as one more channel where it is asked for."""
    stacked = stack_neighbours(prepared.images, None, prepared.geometry.neighbours)
    for part, output in run_slices(chain, stacked, batch_size, watch):
        answer.labels_on_grid[part] = output.labels
        entropies, classes = output.entropy[..., 0].ravel(), output.labels.ravel()
        answer.entropy_sums[:] += np.bincount(classes, entropies, answer.num_classes)
        answer.pixels[:] += np.bincount(classes, minlength=answer.num_classes)
        yield np.concatenate([output.probabilities, output.entropy], axis=-1) if entropy else output.probabilities


def _as_bytes(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1, but for rounding, to uint8 from 0 to 255."""
    values *= np.float32(_ONE)
    return np.clip(np.rint(values, out=values), 0, _ONE, out=values).astype(np.uint8)
