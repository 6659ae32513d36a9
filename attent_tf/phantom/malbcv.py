"""CT subjects as MALBCV stores them: NIfTI images and label maps."""

from pathlib import Path

import numpy as np

from attent_tf.files import write_bytes
from attent_tf.phantom.anatomy import make_anatomy
from attent_tf.phantom.appearance_ct import appearance_ct
from attent_tf.phantom.scanner import ScanGrid, slice_centres
from attent_tf.phantom.stored_nifti import nifti_bytes
from attent_tf.phantom.tissues import Tissue, malbcv_labels

# Subjects in the order in which a smaller phantom takes them: every fourth is one of the published test cases.
_TEST = (1, 9, 30, 32, 33, 39)
_TRAIN = tuple(n for n in (*range(1, 11), *range(21, 41)) if n not in _TEST)
_BEYOND = 41
_ORIENTATIONS = ("LAS", "LPS", "RAS")
_SIZE = 320
_SLICE_MM = 5.0


def malbcv_numbers(subjects: int) -> list[int]:
    """Returns the numbers of the first `subjects` CT subjects."""
    return interleaved(_TEST, _TRAIN, subjects, _BEYOND)


def interleaved(test: tuple[int, ...], train: tuple[int, ...], count: int, beyond: int) -> list[int]:
    """Returns `count` numbers: every fourth from `test` as long as it lasts, then `beyond` and up."""
    test, train, numbers = list(test), list(train), []
    while test or train:
        preferred, reserve = (test, train) if len(numbers) % 4 == 0 else (train, test)
        numbers.append((preferred or reserve).pop(0))
    numbers += range(beyond, beyond + max(0, count - len(numbers)))
    return numbers[:count]


def write_malbcv_subject(folder: Path, number: int, rng: np.random.Generator) -> None:
    """Writes `RawData/Training/{img,label}/*00NN.nii.gz` below `folder`."""
    anatomy_rng, scan_rng, look_rng = rng.spawn(3)
    anatomy = make_anatomy(anatomy_rng)
    grid = _draw_grid(anatomy, scan_rng)
    tissues = grid.paint(anatomy)
    _add_table(tissues, grid, anatomy)
    image = appearance_ct(tissues, grid, look_rng)
    labels = malbcv_labels(slice_centres(tissues))
    codes = _ORIENTATIONS[scan_rng.integers(len(_ORIENTATIONS))]
    training = folder / "RawData" / "Training"
    write_bytes(training / "img" / f"img{number:04d}.nii.gz", nifti_bytes(image, grid.affine, codes))
    write_bytes(training / "label" / f"label{number:04d}.nii.gz", nifti_bytes(labels, grid.affine, codes))


def _draw_grid(anatomy, rng: np.random.Generator) -> ScanGrid:
    side, front, back = anatomy.torso.outer_mm
    pixel_mm = round(float(max(rng.uniform(1.1, 1.3), (2 * side + 24) / _SIZE)), 4)
    slices = int(rng.integers(52, 66))
    top_mm = anatomy.torso.dome_mm + rng.uniform(15, 40)
    centre = (rng.uniform(-4, 4), (front - back) / 2 + rng.uniform(-8, 4), top_mm - (slices - 1) * _SLICE_MM / 2)
    to_scanner = np.eye(4)
    to_scanner[:3, 3] = np.round(rng.uniform((-15, -190, -900), (15, -130, 300)), 2)
    return ScanGrid.centred((slices, _SIZE, _SIZE), (_SLICE_MM, pixel_mm, pixel_mm), centre, to_scanner)


def _add_table(tissues: np.ndarray, grid: ScanGrid, anatomy) -> None:
    """Paints the shell of the scanner's table under the back."""
    _, _, back = anatomy.torso.outer_mm
    x, y = grid.x_mm, grid.y_mm[:, None]
    sag = 0.0011 * x * x
    shell = (np.abs(y + back + 12 - sag) < 1.4) & (np.abs(x) < 205)
    tissues[np.broadcast_to(shell, tissues.shape) & (tissues == Tissue.OUTSIDE)] = Tissue.TABLE
