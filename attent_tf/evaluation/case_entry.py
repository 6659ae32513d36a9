"""One case in the files of an evaluation folder: its entry in `metrics.json`, its rows in `cases.csv`."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attent_tf.evaluation.case_result import CaseFailure, LabelMaps, volumes_of_maps_ml
from attent_tf.json_numbers import to_json
from attent_tf.metrics.scores import METRICS, Score

# What a structure of a case is where its numbers are not plain scores.
MISSED, SPURIOUS, ABSENT, NOT_COMPARED = "missed", "spurious", "absent", "not compared"


def case_entry(
    case: str, maps: LabelMaps, score: Score, structures: Sequence[str], compared: Sequence[str]
) -> dict[str, Any]:
    """Returns what `metrics.json` says of a case, see `Evaluation.cases`.

    Args:
      case: its name.
      maps: what was compared.
      score: its scores.
      structures: names of the classes from 1.
      compared: those that both sides know.
    """
    volumes = volumes_of_maps_ml(maps, structures)
    states = {name: _state(volumes[name], name in compared) for name in structures}
    return {
        "case": case,
        "labelled": maps.reference is not None,
        "slices": len(maps.prediction),
        "spacing_mm": [float(step) for step in maps.spacing_mm],
        **({} if maps.axes_mm is None else {"axes_mm": np.asarray(maps.axes_mm, float).tolist()}),
        "volume_ml": volumes,
        "states": {name: state for name, state in states.items() if state},
        **score,
    }


def cases_csv(cases: Sequence[dict[str, Any]], structures: Sequence[str], failures: Sequence[CaseFailure]) -> str:
    """Returns one row for each case and structure, and one for each case of which there are only failures.

    Args:
      cases: from `case_entry`.
      structures: names of the classes from 1.
      failures: of all cases.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["case", "organ", *METRICS, "prediction_ml", "reference_ml", "state", "failure"])
    problems: dict[str, list[str]] = {}
    for failure in failures:
        problems.setdefault(failure.case, []).append(f"{failure.counts_as}: {failure.problem}")
    for case in cases:
        problem = " | ".join(problems.pop(case["case"], []))
        for name in structures:
            volumes = case["volume_ml"][name]
            numbers = [case[name][metric] for metric in METRICS] + [volumes["prediction"], volumes["reference"]]
            cells = ("" if to_json(n) is None else to_json(n) for n in numbers)
            table.writerow([case["case"], name, *cells, case["states"].get(name, ""), problem])
    for case_name, lines in problems.items():
        table.writerow([case_name, *[""] * (len(METRICS) + 4), " | ".join(lines)])
    return text.getvalue()


def _state(volumes: Mapping[str, float | None], compared: bool) -> str:
    predicted, referenced = volumes["prediction"], volumes["reference"]
    if referenced is None or (predicted and referenced and compared):
        return ""
    if not compared:
        return NOT_COMPARED
    if predicted or referenced:
        return SPURIOUS if predicted else MISSED
    return ABSENT
