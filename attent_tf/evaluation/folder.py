"""The evaluation folder: scores and pictures of one model on its test cases.

`metrics.json` holds every number, `cases.csv` the same per case for a spreadsheet, and `cases/<case>.npz` the pictures
from which a report can be made again. The same results give the same bytes.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attent_tf import files
from attent_tf.counting import counted
from attent_tf.errors import ConfigError, InputError
from attent_tf.evaluation.case_entry import ScoredCase, case_from_json, cases_csv, scored_case
from attent_tf.evaluation.case_result import CaseFailure, CaseResult, LabelMaps, check_case, quantised
from attent_tf.evaluation.header import REQUIRED_HEADER, EvaluationHeader, GivenHeader, check_header
from attent_tf.json_numbers import from_json, to_json
from attent_tf.metrics.bootstrap import INTERVAL_TEXT, Interval
from attent_tf.metrics.protocols import Protocol, find_protocol
from attent_tf.metrics.scores import METRICS, Score
from attent_tf.metrics.summary import average_intervals, mean_score, summarise
from attent_tf.names import file_in, normal_name
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing
from attent_tf.tasks import Task, task_from_mapping, task_to_mapping

_NOT_HEADER = ("task", "cases", "organs", "average", "average_ci95", "without_postprocessing")


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """An evaluation folder that was read back.

    Attributes:
      folder: where it lies.
      task: whose structures were scored.
      header: what was evaluated, and how.
      cases: one `ScoredCase` for each case.
      structures: summaries as `summarise` returns them.
      average: for each metric the mean of the means of the structures that are scored.
      average_ci95: for each metric the bounds of its 95 % interval.
      unprocessed: the same evaluation with summaries and averages of the networks' own predictions, and the same cases; None if
        there was no postprocessing.
    """

    folder: Path
    task: Task
    header: EvaluationHeader
    cases: tuple[ScoredCase, ...]
    structures: dict[str, dict[str, dict[str, float]]]
    average: dict[str, float]
    average_ci95: dict[str, Interval] = dataclasses.field(default_factory=dict)
    unprocessed: "Evaluation | None" = None

    @property
    def failures(self) -> tuple[CaseFailure, ...]:
        """Files that could not be scored as they stand; empty if there are none."""
        return tuple(CaseFailure(**failure) for failure in self.header.get("failures", ()))

    def pictures(self, case: str) -> dict[str, np.ndarray]:
        """Reads the pictures of one case.

        Returns:
          The arrays that `attent_tf.evaluation.case_result.quantised` describes.

        Raises:
          InputError: the file is missing or damaged.
        """
        # Folders that were copied through another system may come with its spelling of names.
        path = file_in(self.folder / "cases", f"{case}.npz")
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except Exception as error:
            raise InputError(
                f"{path}: expected the pictures of case {case}, found none that can be read; evaluate again"
            ) from error


def write_evaluation(
    folder: str | os.PathLike[str],
    task: Task,
    header: GivenHeader,
    case_results: Iterable[CaseResult | CaseFailure],
    overwrite: bool = False,
    compared: Sequence[str] | None = None,
    postprocessing: Postprocessing = NO_POSTPROCESSING,
) -> Evaluation:
    """Scores cases one at a time and writes the evaluation folder, completely or not at all.

    Args:
      folder: the folder to make.
      task: whose classes the label maps hold; averages are over the structures that it scores.
      header: what is evaluated, and how. It is written when all cases have been read, so that what comes up on the way still
        reaches the file.
      case_results: the cases; an iterator is consumed with one case in memory at a time. A case of which nothing can be
        scored comes as its failures alone and is listed.
      overwrite: whether an existing folder may be replaced.
      compared: structures that both sides know; the scores of the others are undefined. None for all.
      postprocessing: what is done to every prediction before it is scored; then there are summaries without it as well.

    Returns:
      The evaluation, as `read_evaluation` returns it.

    Raises:
      ConfigError: the header lacks a key, uses a reserved one, or names an unknown protocol; or the protocol scores
        on the grid of the scan and a case has no label maps there.
      InputError: a case is not what `CaseResult` says, comes twice, or the folder is occupied.
    """
    check_header(header)
    protocol = find_protocol(header["protocol"])
    compared = task.structure_names if compared is None else tuple(compared)
    cases: list[ScoredCase] = []
    failures: list[CaseFailure] = []
    units: list[Score] = []
    plain_units: list[Score] = []
    case_of_unit: list[str] = []
    with files.folder_written_aside(folder, overwrite) as aside:
        (aside / "cases").mkdir()
        for result in case_results:
            if isinstance(result, CaseFailure):
                failures.append(result)
                continue
            check_case(result, task.num_classes)
            result = dataclasses.replace(result, case=normal_name(result.case))
            if result.case in {case.case for case in cases}:
                raise InputError(f"case {result.case}: expected each case once, found it twice; check the records")
            if postprocessing:
                plain_units += _scored(result.maps(protocol.grid), protocol, task, compared)
                result = _postprocessed(result, postprocessing)
            maps = result.maps(protocol.grid)
            scored = _scored(maps, protocol, task, compared)
            units += scored
            case_of_unit += [result.case] * len(scored)
            failures += result.failures
            score = mean_score(scored, task.structure_names)
            cases.append(scored_case(result.case, maps, score, task.structure_names, compared))
            # NumPy's types take any of the names for one of its own options.
            pictures: Any = quantised(result)
            np.savez_compressed(aside / "cases" / f"{result.case}.npz", **pictures)
            # The iterator makes the next case while these names would keep the last one alive.
            del result, maps, pictures
        if not cases:
            if failures:
                count = counted(len(failures), "problem")
                raise InputError(f"no case can be read ({count}); the first: {failures[0].problem}")
            raise InputError(
                f"{folder}: expected at least one case to evaluate, found none; check the split of the records"
            )
        given = dict(header)
        document = {
            "task": task_to_mapping(task),
            **{key: given[key] for key in REQUIRED_HEADER},
            "protocol_text": protocol.text + (f" Done before scoring: {postprocessing.text}" if postprocessing else ""),
            "scored_unit": protocol.unit,
            "statistics_text": INTERVAL_TEXT,
            "organs_compared": list(compared),
            "postprocessing": postprocessing.to_json(),
            **{key: value for key, value in given.items() if key not in REQUIRED_HEADER},
            **_summaries(units, case_of_unit, task),
            **({"without_postprocessing": _summaries(plain_units, case_of_unit, task)} if postprocessing else {}),
            "failures": [dataclasses.asdict(failure) for failure in failures],
            "cases": [case.to_json() for case in cases],
        }
        files.write_json(aside / "metrics.json", to_json(document))
        files.write_text(aside / "cases.csv", cases_csv(cases, task.structure_names, failures))
    return read_evaluation(folder)


def read_evaluation(folder: str | os.PathLike[str]) -> Evaluation:
    """Reads an evaluation folder; the pictures of its cases are read when asked for.

    Raises:
      InputError: `metrics.json` is missing, says no task, or is not what `write_evaluation` writes.
    """
    path = Path(folder) / "metrics.json"
    try:
        document = json.loads(path.read_text("utf-8"))
        header: Any = {key: value for key, value in document.items() if key not in _NOT_HEADER}
        if "task" not in document and all(key in document for key in REQUIRED_HEADER):
            found = "none, as an earlier version left it"
            raise InputError(path, "the task whose structures were scored", found, "evaluate again")
        task = task_from_mapping(document["task"], "task")
        names = task.structure_names
        cases = tuple(
            case_from_json(case, names, f"{path}: cases: entry {index}") for index, case in enumerate(document["cases"])
        )
        evaluation = Evaluation(path.parent, task, header, cases, **_summaries_read(document, names))
        if plain := document.get("without_postprocessing"):
            unprocessed = dataclasses.replace(evaluation, **_summaries_read(plain, names))
            evaluation = dataclasses.replace(evaluation, unprocessed=unprocessed)
        missing = [key for key in REQUIRED_HEADER if key not in header]
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: expected the scores of an evaluation, found no such file; run `attent evaluate`"
        ) from error
    except ConfigError as error:
        raise InputError(f"{path}: {error}; evaluate again") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: expected the scores of an evaluation, found something else; evaluate again"
        ) from error
    if missing:
        raise InputError(f"{path}: expected the key {missing[0]!r}, found none; evaluate again")
    return evaluation


def _summaries(units: Sequence[Score], case_of_unit: Sequence[str], task: Task) -> dict[str, Any]:
    structures, average = summarise(units, task.structure_names, task.scored_names, case_of_unit)
    intervals = average_intervals(units, task.scored_names, case_of_unit)
    return {"average": average, "average_ci95": intervals, "organs": structures}


def _summaries_read(document: Mapping[str, Any], structures: Sequence[str]) -> dict[str, Any]:
    """Returns what `_summaries` gave to the document as attributes of an `Evaluation`."""
    intervals = document.get("average_ci95", {})
    return {
        "structures": from_json({name: document["organs"][name] for name in structures}),
        "average": from_json({metric: document["average"][metric] for metric in METRICS}),
        "average_ci95": {metric: tuple(from_json(pair)) for metric, pair in intervals.items()},
    }


def _postprocessed(result: CaseResult, step: Postprocessing) -> CaseResult:
    on_scan = result.on_scan
    if on_scan is not None:
        on_scan = dataclasses.replace(on_scan, prediction=step(on_scan.prediction))
    return dataclasses.replace(result, prediction=step(result.prediction), on_scan=on_scan)


def _scored(maps: LabelMaps, protocol: Protocol, task: Task, compared: Sequence[str]) -> list[Score]:
    """Scores of the units of one case; a structure that only one side knows is undefined whatever the protocol says."""
    if maps.reference is None:
        return []
    names = task.structure_names
    units = protocol.score(maps.prediction, maps.reference, maps.steps_mm, names)
    unknown = dict.fromkeys(METRICS, float("nan"))
    return [{name: unit[name] if name in compared else unknown for name in names} for unit in units]
