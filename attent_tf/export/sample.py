"""Slices to try an exported model on where no data is at hand: a phantom of the target modality, prepared like a scan."""

import numpy as np

from attent_tf.phantom.anatomy import make_anatomy
from attent_tf.phantom.appearance_ct import appearance_ct
from attent_tf.phantom.appearance_mr import appearance_mr_t2spir
from attent_tf.phantom.scanner import ScanGrid
from attent_tf.tasks import Domain
from attent_tf.volumes import PrepareOptions, Volume, prepare, stack_neighbours

_EDGE = 256
_PIXEL_MM = 1.6
_SLICE_MM = 12.0


def sample_slices(domain: Domain, options: PrepareOptions, count: int) -> np.ndarray:
    """Makes slices of a phantom's upper abdomen.

    Args:
      domain: of the model: of the kind `ct`, the phantom is drawn in Hounsfield units, and else as an MR scan.
      options: of the model.
      count: number of slices.

    Returns:
      [count, size, size, channels] float32 in [−1, 1]; the same ones each time.
    """
    anatomy_rng, look_rng = np.random.default_rng(0).spawn(2)
    anatomy = make_anatomy(anatomy_rng)
    top_mm = anatomy.torso.dome_mm
    _, front, back = anatomy.torso.outer_mm
    centre = (0.0, (front - back) / 2, top_mm - count * _SLICE_MM / 2)
    shape, spacing_mm = (count, _EDGE, _EDGE), (_SLICE_MM, _PIXEL_MM, _PIXEL_MM)
    grid = ScanGrid.centred(shape, spacing_mm, centre, np.eye(4))
    draw = appearance_ct if domain.kind == "ct" else appearance_mr_t2spir
    volume = Volume(draw(grid.paint(anatomy), grid, look_rng), grid.affine, case="phantom", domain=domain)
    slices = stack_neighbours(prepare(volume, options).images, None, options.neighbours)
    # With a slice distance of its own, preparation may leave fewer or more.
    return slices[np.arange(count) % len(slices)]
