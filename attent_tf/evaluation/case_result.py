"""What a model made of one test case, and the form in which an evaluation folder keeps it."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from attent_tf.errors import ConfigError, InputError
from attent_tf.metrics.scores import check_labels
from attent_tf.metrics.voxel_axes import Spacing, voxel_mm3
from attent_tf.names import name_problem, normal_name


@dataclasses.dataclass(frozen=True)
class CaseFailure:
    """Why a case, or a side of it, could not be scored as it stands.

    Attributes:
      case: its name.
      side: `prediction` or `reference`.
      counts_as: what became of it, such as `an empty prediction` or `not scored`.
      problem: one line: which file, what was expected, what was found, what to do.
    """

    case: str
    side: str
    counts_as: str
    problem: str


@dataclasses.dataclass(frozen=True)
class LabelMaps:
    """What is compared: two label maps on one grid.

    Attributes:
      prediction: [slice, row, column] class indices.
      spacing_mm: [slice, row, column] distance of neighbouring voxel centres, in millimetres.
      reference: [slice, row, column] class indices; None for a case without labels.
      axes_mm: [3, 3] millimetres in RAS+ of a step along slices, rows and columns, each a column; None if they are
        perpendicular.
    """

    prediction: np.ndarray
    spacing_mm: tuple[float, float, float]
    reference: np.ndarray | None = None
    axes_mm: np.ndarray | None = None

    @property
    def steps_mm(self) -> Spacing:
        """The steps by which distances and volumes are measured."""
        return self.spacing_mm if self.axes_mm is None else self.axes_mm


@dataclasses.dataclass(frozen=True)
class CaseResult:
    """What a model made of one test case, on the grid on which it is scored.

    Attributes:
      case: stable identifier such as `chaos-1`.
      image: [slice, row, column] float32 in [−1, 1], the target image; None if there is none to show.
      entropy: [slice, row, column] float32 in [0, 1], the normalised entropy of the prediction (Eq. 6); None if it is
        not known.
      prediction: [slice, row, column] class indices.
      spacing_mm: [slice, row, column] distance of neighbouring voxel centres, in millimetres.
      translated: [slice, row, column] float32 in [−1, 1], the image in source style; None without
        a translator.
      reference: [slice, row, column] class indices; None for a case without labels.
      failures: what was wrong with its files, where it is scored in spite of it.
      axes_mm: as of `LabelMaps`.
      on_scan: the label maps on the original scan's own grid, for protocols that score there.
    """

    case: str
    image: np.ndarray | None
    entropy: np.ndarray | None
    prediction: np.ndarray
    spacing_mm: tuple[float, float, float]
    translated: np.ndarray | None = None
    reference: np.ndarray | None = None
    failures: tuple[CaseFailure, ...] = ()
    axes_mm: np.ndarray | None = None
    on_scan: LabelMaps | None = None

    def maps(self, grid: str) -> LabelMaps:
        """Returns the label maps on the grid of a protocol: `records` or `scan`.

        Raises:
          ConfigError: the case was not brought back to its scan.
        """
        if grid == "records":
            return LabelMaps(self.prediction, self.spacing_mm, self.reference, self.axes_mm)
        if self.on_scan is None:
            raise ConfigError(
                f"case {self.case}: expected label maps on the grid of the scan, as the protocol scores there, found none; "
                "give the original scans, or choose another protocol"
            )
        return self.on_scan


def check_case(result: CaseResult, num_classes: int) -> None:
    """Checks names, shapes and class indices of a case.

    Args:
      result: the case.
      num_classes: C, with the background.

    Raises:
      InputError: something is not what `CaseResult` says.
    """
    problem = name_problem(f"case {result.case!r}", normal_name(result.case), "give it another name")
    if problem is not None:
        raise InputError(*dataclasses.astuple(problem))
    shape = np.shape(result.prediction)
    for name in ("image", "entropy", "prediction", "translated", "reference"):
        array = getattr(result, name)
        if array is not None and (np.ndim(array) != 3 or np.shape(array) != shape):
            raise InputError(
                f"case {result.case}: expected {name} as [slice, row, column] in the shape of the prediction {shape}, "
                f"found {np.shape(array)}"
            )
    for where, maps in (("", result.maps("records")), (" on the scan", result.on_scan)):
        if maps is not None:
            check_labels(f"case {result.case}: prediction{where}", maps.prediction, num_classes)
            if maps.reference is not None:
                check_labels(f"case {result.case}: reference{where}", maps.reference, num_classes)


def volumes_of_maps_ml(maps: LabelMaps, structures: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Returns for each structure the volume of `prediction` and of `reference` in millilitres, None without a reference.

    Args:
      maps: both label maps.
      structures: names of the classes from 1.
    """
    voxel_ml = voxel_mm3(maps.steps_mm) / 1000.0
    return {
        structure: {
            name: None if labels is None else voxel_ml * int(np.count_nonzero(np.asarray(labels) == index))
            for name, labels in (("prediction", maps.prediction), ("reference", maps.reference))
        }
        for index, structure in enumerate(structures, start=1)
    }


def quantised(result: CaseResult) -> dict[str, np.ndarray]:
    """Returns the arrays of a case as they are stored.

    Returns:
      `image`, `entropy` and `translated`, each where there is one: [slice, row, column] uint8, 0...255 for the whole
      range; `prediction` and, where there is one, `reference`: [slice, row, column] uint8 class indices; `spacing_mm`
      [3] float64.
    """
    arrays: dict[str, Any] = {
        "image": _to_uint8(result.image, -1.0, 1.0),
        "translated": _to_uint8(result.translated, -1.0, 1.0),
        "entropy": _to_uint8(result.entropy, 0.0, 1.0),
        "prediction": np.asarray(result.prediction, np.uint8),
        "reference": None if result.reference is None else np.asarray(result.reference, np.uint8),
        "spacing_mm": np.asarray(result.spacing_mm, np.float64),
    }
    return {name: array for name, array in arrays.items() if array is not None}


def _to_uint8(values: np.ndarray | None, low: float, high: float) -> np.ndarray | None:
    if values is None:
        return None
    scaled = (np.asarray(values, np.float32) - low) * (255.0 / (high - low))
    return np.rint(np.clip(np.nan_to_num(scaled), 0.0, 255.0)).astype(np.uint8)
