"""Slices to try an exported model on where no data are available.

For the phantom's own task they are a phantom of the target domain, prepared like a scan. Of other tasks nothing is known that
could be drawn: there they are smooth grey values in an ellipse. Either way they show kind a change of the model's graph does to
its output, and how long it takes, and nothing of how well it segments.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from attent_tf.phantom.anatomy import make_anatomy
from attent_tf.phantom.appearance_ct import appearance_ct
from attent_tf.phantom.appearance_mr import appearance_mr_t2spir
from attent_tf.phantom.scanner import ScanGrid
from attent_tf.tasks import Domain, Task, load_task
from attent_tf.volumes import PrepareOptions, Volume, prepare, stack_neighbours

# Whose scans the phantom shows.
_PHANTOM_TASK = "abdomen"
_EDGE = 256
_PIXEL_MM = 1.6
_SLICE_MM = 12.0


class Sample(NamedTuple):
    """Slices that no scanner made.

    Attributes:
      kind: `phantom` or `synthetic`.
      slices: [slice, size, size, channels] float32 in [−1, 1].
    """

    kind: str
    slices: np.ndarray


def make_sample(task: Task, target: str, options: PrepareOptions, count: int) -> Sample:
    """Makes slices for a model; the same ones each time.

    Args:
      task: the task of the model.
      target: domain of its scans.
      options: the options of the model.
      count: number of slices.
    """
    if task == load_task(_PHANTOM_TASK):
        images, kind = _phantom(task.domain(target), options, count), "phantom"
    else:
        images, kind = _smooth(options.size, count), "synthetic"
    slices = stack_neighbours(images, None, options.neighbours)
    # With a slice distance of its own, preparation may leave fewer or more.
    return Sample(kind, slices[np.arange(count) % len(slices)])


def _phantom(domain: Domain, options: PrepareOptions, count: int) -> np.ndarray:
    """Draws the upper abdomen, and prepares it: [slice, size, size]."""
    anatomy_rng, look_rng = np.random.default_rng(0).spawn(2)
    anatomy = make_anatomy(anatomy_rng)
    top_mm = anatomy.torso.dome_mm
    _, front, back = anatomy.torso.outer_mm
    centre = (0.0, (front - back) / 2, top_mm - count * _SLICE_MM / 2)
    shape, spacing_mm = (count, _EDGE, _EDGE), (_SLICE_MM, _PIXEL_MM, _PIXEL_MM)
    grid = ScanGrid.centred(shape, spacing_mm, centre, np.eye(4))
    draw = appearance_ct if domain.kind == "ct" else appearance_mr_t2spir
    volume = Volume(draw(grid.paint(anatomy), grid, look_rng), grid.affine, case="phantom", domain=domain)
    return prepare(volume, options).images


def _smooth(size: int, count: int) -> np.ndarray:
    """Fills an ellipse with smooth grey values from −1 to 1, and its surroundings with −1: [slice, size, size]."""
    noise = np.random.default_rng(0).normal(size=(count, size, size)).astype(np.float32)
    # From slice to slice they change as much as within a sixteenth of the edge.
    grey = ndimage.gaussian_filter(noise, (1, size / 16, size / 16), mode="wrap")
    low, high = grey.min(), grey.max()
    rows, columns = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    inside = (rows / 0.32) ** 2 + (columns / 0.42) ** 2 < 1
    return np.where(inside, 2 * (grey - low) / (high - low) - 1, -1).astype(np.float32)
