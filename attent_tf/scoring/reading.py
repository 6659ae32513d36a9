"""Label files as class indices, and one side brought onto the voxels of the other, exactly or not at all."""

import dataclasses

import numpy as np

from attent_tf.choices import OrientationPolicy
from attent_tf.datasets.labels import classes_of_masks, classes_of_numbers
from attent_tf.errors import InputError
from attent_tf.scoring.label_map import LabelSide
from attent_tf.scoring.pairing import SideFiles
from attent_tf.volumes.nifti import read_nifti, read_nifti_labels, shown_values
from attent_tf.volumes.nifti_header import read_placement
from attent_tf.volumes.stored_grid import StoredGrid, turned_onto


@dataclasses.dataclass(frozen=True)
class Stored:
    """An array with its place in the patient.

    Attributes:
      array: [i, j, k] class indices or intensities in stored order.
      affine: [4, 4] float64, voxel index to millimetres in RAS+.
      path: the file that messages name.
      warnings: lines about its files that the user has to hear.
    """

    array: np.ndarray
    affine: np.ndarray
    path: str
    warnings: tuple[str, ...] = ()

    @property
    def grid(self) -> StoredGrid:
        """Where the voxels lie."""
        return StoredGrid(self.path, self.array.shape, self.affine)


def read_side(side: LabelSide, files: SideFiles, orientation_policy: OrientationPolicy = "strict") -> Stored:
    """Reads one side of a case.

    Args:
      side: what its files mean.
      files: which they are.
      orientation_policy: for files whose codes of sform and qform are 0, see `read_nifti`.

    Returns:
      [i, j, k] uint8 class indices.

    Raises:
      InputError: a file is missing or cannot be used; one line says which and why.
    """
    if files.problem is not None:
        raise InputError(*dataclasses.astuple(files.problem))
    read = [Stored(*read_nifti_labels(path, orientation_policy), path) for path in files.paths]
    first = read[0]
    if side.description.masks:
        masks = {name: onto_grid(mask, first) for (name, _), mask in zip(side.patterns, read, strict=True)}
        paths = {name: path for (name, _), path in zip(side.patterns, files.paths, strict=True)}
        classes = classes_of_masks(masks, side.task.structure_names, paths)
    else:
        if side.known is not None:
            _check_known(first.array, side.known, first.path)
        classes = classes_of_numbers(first.array, side.description, side.task.structure_names, first.path)
    warnings = tuple(line for path in files.paths for line in read_placement(path, orientation_policy)[1])
    return dataclasses.replace(first, array=classes, warnings=warnings)


def read_image(path: str, orientation_policy: OrientationPolicy = "strict") -> Stored:
    """Reads the image that label maps are shown on.

    Raises:
      InputError: the file cannot be used.
    """
    voxels, affine = read_nifti(path, orientation_policy)
    return Stored(voxels, affine, path, read_placement(path, orientation_policy)[1])


def onto_grid(moving: Stored, fixed: Stored) -> np.ndarray:
    """Shows an array in the axis order of another one with the same voxels; nothing is interpolated.

    Args:
      moving: to be turned.
      fixed: gives the grid.

    Returns:
      [i, j, k], a view of `moving` in the stored order of `fixed`.

    Raises:
      InputError: the voxels do not lie in the same places, up to a tenth of the smallest voxel edge.
    """
    return turned_onto(moving.array, moving.grid, fixed.grid)


def _check_known(numbers: np.ndarray, known: frozenset[int], path: str) -> None:
    held = np.unique(numbers)
    unknown = held[~np.isin(held, [0, *known])]
    if unknown.size:
        expected = ", ".join(str(number) for number in (0, *sorted(known)[:20])) + ("..." if len(known) > 20 else "")
        advice = "name its labels in the label map, or give last_label there so that others count as background"
        raise InputError(path, f"labels out of {expected}", shown_values(unknown), advice)
