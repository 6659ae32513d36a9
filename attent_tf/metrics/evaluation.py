"""The evaluation folder: scores and pictures of one model on its test cases.

`metrics.json` holds every number, `cases.csv` the same per case for a spreadsheet, and `cases/<case>.npz` the pictures
from which a report can be made again. The same results give the same bytes.
"""

import csv
import dataclasses
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attent_tf import files
from attent_tf.errors import ConfigError, InputError
from attent_tf.metrics.case_result import CaseResult, LabelMaps, check_case, organ_volumes_ml, quantised
from attent_tf.metrics.json_numbers import from_json, to_json
from attent_tf.metrics.postprocessing import DEFAULT_POSTPROCESSING, Postprocessing, find_postprocessing
from attent_tf.metrics.protocols import find_protocol
from attent_tf.metrics.scores import METRICS, Score
from attent_tf.metrics.summary import mean_score, summarise
from attent_tf.organs import ORGANS

REQUIRED_HEADER = ("method", "direction", "protocol", "seed")
_OWN_KEYS = ("protocol_text", "scored_unit", "cases", "organs", "average")


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """An evaluation folder that was read back.

    Attributes:
      folder: where it lies.
      header: `method`, `direction`, `protocol`, `protocol_text`, `seed` and the free keys.
      cases: one dict a case: `case`, `labelled`, `slices`, `spacing_mm`, `volume_ml`, and for each organ its metrics as
        floats (NaN where undefined, infinity where missed).
      organs: summaries as `summarise` returns them.
      average: for each metric the mean of the organs' means.
    """

    folder: Path
    header: dict[str, Any]
    cases: list[dict[str, Any]]
    organs: dict[str, dict[str, dict[str, float]]]
    average: dict[str, float]

    def pictures(self, case: str) -> dict[str, np.ndarray]:
        """Reads the pictures of one case.

        Returns:
          The arrays that `attent_tf.metrics.case_result.quantised` describes.

        Raises:
          InputError: the file is missing or damaged.
        """
        path = self.folder / "cases" / f"{case}.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except Exception as error:
            raise InputError(
                f"{path}: expected the pictures of case {case}; cannot read them; evaluate again"
            ) from error


def write_evaluation(
    folder: str | os.PathLike, header: Mapping[str, Any], case_results: Iterable[CaseResult], overwrite: bool = False
) -> Evaluation:
    """Scores cases one at a time and writes the evaluation folder, completely or not at all.

    Args:
      folder: the folder to make.
      header: `method`, `direction`, `protocol` (a name in `PROTOCOLS`), `seed`, and free keys that JSON can hold, such
        as `warnings` (lines for the report's head), `selection` (how the model was chosen, in words) and
        `postprocessing` (a name in `POSTPROCESSINGS`, which is applied to every prediction; `none` where it is absent).
      case_results: the cases; an iterator is consumed with one case in memory at a time.
      overwrite: whether an existing folder may be replaced.

    Returns:
      The evaluation, as `read_evaluation` returns it.

    Raises:
      ConfigError: the header lacks a key, uses a reserved one, or names an unknown protocol or postprocessing; or the
        protocol scores on the grid of the scan and a case has no label maps there.
      InputError: a case is not what `CaseResult` says, comes twice, or the folder is occupied.
    """
    _check_header(header)
    protocol = find_protocol(header["protocol"])
    postprocessing = find_postprocessing(header.get("postprocessing", DEFAULT_POSTPROCESSING))
    cases: list[dict[str, Any]] = []
    units: list[Score] = []
    with files.folder_written_aside(folder, overwrite) as aside:
        (aside / "cases").mkdir()
        for result in case_results:
            check_case(result)
            if result.case in {case["case"] for case in cases}:
                raise InputError(f"case {result.case}: expected each case once, it came twice; check the records")
            result = _postprocessed(result, postprocessing)
            maps = result.maps(protocol.grid)
            scored = [] if maps.reference is None else protocol.score(maps.prediction, maps.reference, maps.spacing_mm)
            units += scored
            cases.append(_case_entry(result.case, maps, mean_score(scored)))
            np.savez_compressed(aside / "cases" / f"{result.case}.npz", **quantised(result))
            # The iterator makes the next case while these names would keep the last one alive.
            del result, maps
        if not cases:
            raise InputError(
                f"{folder}: expected at least one case to evaluate, got none; check the split of the records"
            )
        organs, average = summarise(units)
        document = {
            **{key: header[key] for key in REQUIRED_HEADER},
            "protocol_text": " ".join(filter(None, (protocol.text, postprocessing.text))),
            "scored_unit": protocol.unit,
            "postprocessing": postprocessing.name,
            **{key: value for key, value in header.items() if key not in REQUIRED_HEADER},
            "average": average,
            "organs": organs,
            "cases": cases,
        }
        files.write_json(aside / "metrics.json", to_json(document))
        files.write_text(aside / "cases.csv", _as_csv(cases))
    return read_evaluation(folder)


def read_evaluation(folder: str | os.PathLike) -> Evaluation:
    """Reads an evaluation folder; the pictures of its cases are read when asked for.

    Raises:
      InputError: `metrics.json` is missing or not what `write_evaluation` writes.
    """
    path = Path(folder) / "metrics.json"
    try:
        document = json.loads(path.read_text("utf-8"))
        header = {key: value for key, value in document.items() if key not in ("cases", "organs", "average")}
        cases = [{**case, **{organ: from_json(case[organ]) for organ in ORGANS}} for case in document["cases"]]
        organs = from_json({organ: document["organs"][organ] for organ in ORGANS})
        average = from_json({metric: document["average"][metric] for metric in METRICS})
        missing = [key for key in REQUIRED_HEADER if key not in header]
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: expected the scores of an evaluation; there is no such file; run `attent evaluate`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: expected the scores of an evaluation; got something else; evaluate again") from error
    if missing:
        raise InputError(f"{path}: expected the key {missing[0]!r}, it is missing; evaluate again")
    return Evaluation(Path(folder), header, cases, organs, average)


def _check_header(header: Mapping[str, Any]) -> None:
    for key in REQUIRED_HEADER:
        if key not in header:
            raise ConfigError(f"header of the evaluation: expected the key {key!r}, it is missing")
    for key in _OWN_KEYS:
        if key in header:
            raise ConfigError(f"header of the evaluation: the key {key!r} is reserved; choose another")


def _postprocessed(result: CaseResult, step: Postprocessing) -> CaseResult:
    on_scan = result.on_scan
    if on_scan is not None:
        on_scan = dataclasses.replace(on_scan, prediction=step.apply(on_scan.prediction))
    return dataclasses.replace(result, prediction=step.apply(result.prediction), on_scan=on_scan)


def _case_entry(case: str, maps: LabelMaps, score: Score) -> dict[str, Any]:
    return {
        "case": case,
        "labelled": maps.reference is not None,
        "slices": len(maps.prediction),
        "spacing_mm": [float(step) for step in maps.spacing_mm],
        "volume_ml": organ_volumes_ml(maps),
        **score,
    }


def _as_csv(cases: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["case", "organ", *METRICS, "prediction_ml", "reference_ml"])
    for case in cases:
        for organ in ORGANS:
            volumes = case["volume_ml"][organ]
            numbers = [case[organ][metric] for metric in METRICS] + [volumes["prediction"], volumes["reference"]]
            table.writerow([case["case"], organ, *("" if to_json(n) is None else to_json(n) for n in numbers)])
    return text.getvalue()
