"""One case in the files of an evaluation folder: its entry in `metrics.json`, its rows in `cases.csv`."""

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from attent_tf.errors import InputError
from attent_tf.evaluation.case_result import CaseFailure, LabelMaps, volumes_of_maps_ml
from attent_tf.json_numbers import to_json
from attent_tf.metrics.scores import METRICS, Score
from attent_tf.plain_values import StrictReader, json_number

# What a structure of a case is where its numbers are not plain scores.
State = Literal["missed", "spurious", "absent", "not compared"]
MISSED: State = "missed"
SPURIOUS: State = "spurious"
ABSENT: State = "absent"
NOT_COMPARED: State = "not compared"


@dataclasses.dataclass(frozen=True)
class ScoredCase:
    """What an evaluation says of a case. What early versions did not write has a default.

    Attributes:
      case: its name.
      scores: structure to metric to number; NaN where undefined, infinite where missed.
      labelled: whether there are reference labels.
      slices: number of its slices.
      spacing_mm: (slice, row, column).
      axes_mm: where axes are not perpendicular: the steps along slices, rows and columns, each a column.
      volume_ml: structure to the volumes of `prediction` and `reference`, None without a reference.
      states: structure to `missed`, `spurious` (predicted where there is none), `absent` (in neither map) or `not compared`;
        plain scores are left out. None if the evaluation does not say.
    """

    case: str
    scores: Score
    labelled: bool = True
    slices: int = 0
    spacing_mm: tuple[float, ...] = ()
    axes_mm: tuple[tuple[float, ...], ...] | None = None
    volume_ml: Mapping[str, Mapping[str, float | None]] = dataclasses.field(default_factory=dict)
    states: Mapping[str, State] | None = None

    def to_json(self) -> dict[str, Any]:
        """The case as `metrics.json` holds it: scores stand beside the rest, by the names of structures."""
        content = {name: value for name, value in vars(self).items() if name != "scores" and value is not None}
        return {**content, **self.scores}


_READER = StrictReader({float: json_number}, other_keys=True)


def case_from_json(content: Any, structures: Sequence[str], where: str) -> ScoredCase:
    """Reads what `ScoredCase.to_json` wrote.

    Args:
      content: the JSON object.
      structures: names of the classes from 1.
      where: what messages call it.

    Raises:
      InputError: names `where` and the key.
    """
    gathered = content
    if isinstance(content, dict):
        gathered = {**content, "scores": {name: content[name] for name in structures if name in content}}
    case = _READER.read(ScoredCase, gathered, where, InputError, "evaluate again")
    missing = [name for name in structures if name not in case.scores]
    if missing:
        raise InputError(
            f"{where}: expected scores of {', '.join(structures)}; {missing[0]} is missing; evaluate again"
        )
    return case


def scored_case(
    case: str, maps: LabelMaps, score: Score, structures: Sequence[str], compared: Sequence[str]
) -> ScoredCase:
    """Gathers what is known of a case.

    Args:
      case: its name.
      maps: what was compared.
      score: its scores.
      structures: names of the classes from 1.
      compared: those that both sides know.
    """
    volumes = volumes_of_maps_ml(maps, structures)
    states = {name: _state(volumes[name], name in compared) for name in structures}
    return ScoredCase(
        case=case,
        scores=score,
        labelled=maps.reference is not None,
        slices=len(maps.prediction),
        spacing_mm=tuple(float(step) for step in maps.spacing_mm),
        axes_mm=None if maps.axes_mm is None else tuple(map(tuple, np.asarray(maps.axes_mm, float).tolist())),
        volume_ml=volumes,
        states={name: state for name, state in states.items() if state},
    )


def cases_csv(cases: Sequence[ScoredCase], structures: Sequence[str], failures: Sequence[CaseFailure]) -> str:
    """Returns one row for each case and structure, and one for each case of which there are only failures.

    Args:
      cases: all that were scored.
      structures: names of the classes from 1.
      failures: the failures of all cases.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["case", "organ", *METRICS, "prediction_ml", "reference_ml", "state", "failure"])
    problems: dict[str, list[str]] = {}
    for failure in failures:
        problems.setdefault(failure.case, []).append(f"{failure.counts_as}: {failure.problem}")
    for case in cases:
        problem = " | ".join(problems.pop(case.case, []))
        for name in structures:
            volumes = case.volume_ml[name]
            numbers = [case.scores[name][metric] for metric in METRICS] + [volumes["prediction"], volumes["reference"]]
            cells = ("" if to_json(n) is None else to_json(n) for n in numbers)
            table.writerow([case.case, name, *cells, (case.states or {}).get(name, ""), problem])
    for case_name, lines in problems.items():
        table.writerow([case_name, *[""] * (len(METRICS) + 4), " | ".join(lines)])
    return text.getvalue()


def _state(volumes: Mapping[str, float | None], compared: bool) -> State | Literal[""]:
    predicted, referenced = volumes["prediction"], volumes["reference"]
    if referenced is None or (predicted and referenced and compared):
        return ""
    if not compared:
        return NOT_COMPARED
    if predicted or referenced:
        return SPURIOUS if predicted else MISSED
    return ABSENT
