"""The phantom of the task `shapes`: a bright ball, a bright rod and a dark cave in a body, in two made-up contrasts.

Subjects of both domains are different people, as in the real task. In `t2` the body is brighter, darkens towards its middle and
has a rim, and noise is stronger: a network that learned from `t1` alone does worse there.
"""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.ndimage

from attent_tf.files import folder_written_aside, write_bytes
from attent_tf.phantom.scanner import ScanGrid
from attent_tf.phantom.stored_nifti import nifti_bytes
from attent_tf.phantom.writing import check_arguments

_SLICES, _ROWS, _COLUMNS = 16, 80, 96
_SPACING_MM = (6.0, 3.2, 3.2)
_ORIENTATIONS = ("LPS", "RAS")


@dataclasses.dataclass(frozen=True)
class Contrast:
    """How a domain shows the phantom; grey values have no unit.

    Attributes:
      body, ball, rod, cave, rim: grey values.
      shading: by what share the body is darker in its middle.
      noise: standard deviation.
    """

    body: float
    ball: float
    rod: float
    cave: float
    rim: float
    shading: float
    noise: float


CONTRASTS = {
    "t1": Contrast(body=420.0, ball=900.0, rod=760.0, cave=130.0, rim=420.0, shading=0.0, noise=18.0),
    "t2": Contrast(body=560.0, ball=820.0, rod=980.0, cave=210.0, rim=760.0, shading=0.3, noise=34.0),
}


def write_shapes(
    out: str | os.PathLike, subjects: int = 12, seed: int = 0, report: Callable[[str], None] | None = None
) -> None:
    """Writes the phantom, completely or not at all.

    The same seed gives the same bytes on processors with the same vector instructions, whose functions agree to the last digit;
    a subject does not depend on how many others there are.

    Args:
      out: folder to make; `out/t1` and `out/t2` hold `images` and `labels`, as the data set `nifti` has them.
      subjects: how many subjects of each domain; no subject has both.
      seed: any non-negative whole number.
      report: called with the name of each subject when it is written.

    Raises:
      InputError: `out` is occupied, or `subjects` or `seed` cannot be used.
    """
    check_arguments(subjects, seed)
    with folder_written_aside(out) as folder:
        for number in range(1, subjects + 1):
            for stream, domain in enumerate(CONTRASTS):
                rng = np.random.default_rng(np.random.SeedSequence([seed, stream, number]))
                name = f"{domain}-{number:02d}"
                _write_subject(folder / domain, name, CONTRASTS[domain], rng)
                if report:
                    report(name)


def _write_subject(folder: Path, name: str, contrast: Contrast, rng: np.random.Generator) -> None:
    grid = ScanGrid.centred((_SLICES, _ROWS, _COLUMNS), _SPACING_MM, rng.uniform(-6, 6, 3), np.eye(4))
    image, labels = draw_shapes(grid, contrast, rng)
    codes = _ORIENTATIONS[rng.integers(len(_ORIENTATIONS))]
    for kind, values in (("images", image), ("labels", labels)):
        write_bytes(folder / kind / f"{name}.nii.gz", nifti_bytes(values, grid.affine, codes))


def draw_shapes(grid: ScanGrid, contrast: Contrast, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws a subject.

    Args:
      grid: where its voxels lie.
      contrast: the contrast of its domain.
      rng: decides its anatomy and its noise.

    Returns:
      [slice, row, column] int16 grey values, and uint8 class indices of the task `shapes`.
    """
    z, y, x = grid.z_mm[:, None, None], grid.y_mm[:, None], grid.x_mm
    body = _ellipsoid((x, y, z), (0, 0, 0), (*rng.uniform((105, 80), (125, 95)), 400))
    ball = _ellipsoid(
        (x, y, z), (rng.uniform(48, 62), rng.uniform(-22, -4), rng.uniform(-10, 10)), [rng.uniform(26, 34)] * 3
    )
    lean = rng.uniform(-0.2, 0.2)
    rod = _ellipsoid(
        (x - lean * z, y, z), (rng.uniform(-60, -42), rng.uniform(-26, -8), 0), (*rng.uniform(13, 18, 2), 40)
    )
    cave = _ellipsoid(
        (x, y, z), (rng.uniform(-10, 14), rng.uniform(28, 38), rng.uniform(-12, 12)), rng.uniform(20, 28, 3)
    )
    labels = np.zeros(ball.shape, np.uint8)
    image = np.where(body > 0, contrast.body * (1 - contrast.shading * np.clip(body, 0, 1)), 0.0)
    image = np.where((body > 0) & (body < 0.12), contrast.rim, image)
    for index, (inside, grey) in enumerate(
        ((ball, contrast.ball), (rod, contrast.rod), (cave, contrast.cave)), start=1
    ):
        labels[inside > 0] = index
        image[inside > 0] = grey
    image = scipy.ndimage.gaussian_filter(image, (0, 0.6, 0.6)) * _coil(x, y, rng)
    # The magnitude of a signal with noise in both of its parts, as scanners of this kind give it.
    noise = rng.normal(scale=contrast.noise, size=(2, *image.shape))
    return np.rint(np.hypot(image + noise[0], noise[1])).astype(np.int16), labels


def _ellipsoid(places, centre, half_axes) -> np.ndarray:
    """1 at the centre of an ellipsoid, 0 on its surface, less outside; axes are x, y, z in millimetres."""
    parts = zip(places, centre, half_axes, strict=True)
    return 1 - np.sqrt(sum(((place - middle) / half) ** 2 for place, middle, half in parts))


def _coil(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[row, column] a gain that changes slowly within a slice."""
    across, along = rng.uniform(-8e-4, 8e-4, 2)
    return 1 + across * x + along * y
