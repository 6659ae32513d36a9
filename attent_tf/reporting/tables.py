"""Tables of scores as text cells, ready for a page."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from attent_tf.metrics.evaluation import Evaluation
from attent_tf.metrics.summary import mean_of_defined
from attent_tf.organs import ORGANS
from attent_tf.reporting.wording import METRIC_DIGITS, METRIC_TITLES, UNDEFINED, number


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
      text: what counts.
      detail: what stands smaller beside or below it.
      state: `missed`, `spurious`, `undefined` or empty.
    """

    text: str
    detail: str = ""
    state: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table: what it is about, and its cells."""

    label: str
    note: str
    cells: tuple[Cell, ...]


def score_groups(entries: Sequence[tuple[str, Evaluation]]) -> list[tuple[str, list[Row]]]:
    """Makes the table of scores: a group of rows for each metric, a row for each method.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      (title of the metric, rows); the cells of a row are the organs in their order and the average.
    """
    return [
        (
            METRIC_TITLES[metric],
            [Row(label, _count(evaluation, metric), _score_cells(evaluation, metric)) for label, evaluation in entries],
        )
        for metric in METRIC_TITLES
    ]


def case_rows(entries: Sequence[tuple[str, Evaluation]]) -> list[tuple[str, list[Row]]]:
    """Makes the table of labelled cases, worst first.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      (case, rows): cases ascending in the mean Dice over organs and methods; a row for each method that has the case.
    """
    by_case: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for label, evaluation in entries:
        for case in evaluation.cases:
            if case.get("labelled", True):
                by_case.setdefault(case["case"], []).append((label, case))
    order = sorted(
        by_case, key=lambda name: (_sortable(mean_of_defined([_mean_dice(c) for _, c in by_case[name]])), name)
    )
    return [(name, [Row(label, "", _case_cells(case)) for label, case in by_case[name]]) for name in order]


def volume_rows(entries: Sequence[tuple[str, Evaluation]]) -> list[tuple[str, list[Row]]]:
    """Makes the table of cases without labels: the predicted volume of each organ in millilitres.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      (case, rows) in the order of the evaluations.
    """
    by_case: dict[str, list[Row]] = {}
    for label, evaluation in entries:
        for case in evaluation.cases:
            if not case.get("labelled", True):
                cells = tuple(Cell(f"{case['volume_ml'][organ]['prediction']:.0f}") for organ in ORGANS)
                by_case.setdefault(case["case"], []).append(Row(label, "", cells))
    return list(by_case.items())


def cases_from_worst_to_best(evaluations: Sequence[Evaluation]) -> list[str]:
    """Returns the names of all cases by ascending mean Dice over organs and methods; unlabelled cases come last."""
    values: dict[str, list[float]] = {}
    for evaluation in evaluations:
        for case in evaluation.cases:
            values.setdefault(case["case"], []).append(_mean_dice(case))
    return sorted(values, key=lambda name: (_sortable(mean_of_defined(values[name])), name))


def case_state(case: dict[str, Any], organ: str) -> str:
    """Returns `missed`, `spurious` (predicted where there is none), `undefined`, or an empty text for a plain score."""
    if math.isnan(case[organ]["dice"]):
        return "undefined"
    if not math.isinf(case[organ]["assd_mm"]):
        return ""
    volumes = case.get("volume_ml", {}).get(organ, {})
    return "spurious" if volumes.get("reference") == 0.0 else "missed"


def _count(evaluation: Evaluation, metric: str) -> str:
    """Says how many values every mean of a row is over; empty if that differs between organs."""
    summaries = [evaluation.organs[organ][metric] for organ in ORGANS]
    counts = {summary["n"] for summary in summaries}
    same = len(counts) == 1 and not any(summary["n_undefined"] for summary in summaries)
    return f"n {counts.pop()}" if same else ""


def _score_cells(evaluation: Evaluation, metric: str) -> tuple[Cell, ...]:
    digits = METRIC_DIGITS[metric]
    cells = []
    for organ in ORGANS:
        summary = evaluation.organs[organ][metric]
        if not summary["n"]:
            cells.append(Cell(UNDEFINED, "n 0", "undefined"))
            continue
        text = number(summary["mean"], digits)
        if math.isfinite(summary["std"]):
            text += f" ± {number(summary['std'], digits)}"
        details = []
        if not _count(evaluation, metric):
            total = summary["n"] + summary["n_undefined"]
            details.append(f"n {summary['n']}" + (f" of {total}" if summary["n_undefined"] else ""))
        if summary["n_infinite"]:
            details.append(f"infinite in {summary['n_infinite']}")
        cells.append(Cell(text, ", ".join(details), "missed" if summary["n_infinite"] else ""))
    average = evaluation.average[metric]
    defined = sum(evaluation.organs[organ][metric]["n"] > 0 for organ in ORGANS)
    detail = "" if defined == len(ORGANS) else f"{defined} of {len(ORGANS)} organs"
    return (*cells, Cell(number(average, digits), detail, "undefined" if math.isnan(average) else ""))


def _case_cells(case: dict[str, Any]) -> tuple[Cell, ...]:
    cells = []
    for organ in ORGANS:
        state, score = case_state(case, organ), case[organ]
        if state == "undefined":
            cells.append(Cell(UNDEFINED, "in neither map", state))
        elif state:
            cells.append(Cell(state, f"Dice {number(score['dice'], METRIC_DIGITS['dice'])}", state))
        else:
            distance = number(score["assd_mm"], METRIC_DIGITS["assd_mm"])
            cells.append(
                Cell(number(score["dice"], METRIC_DIGITS["dice"]), "" if distance == UNDEFINED else f"{distance} mm")
            )
    mean_mm = mean_of_defined([case[organ]["assd_mm"] for organ in ORGANS])
    return (*cells, Cell(number(_mean_dice(case), 1), "" if math.isnan(mean_mm) else f"{number(mean_mm, 2)} mm"))


def _mean_dice(case: dict[str, Any]) -> float:
    return mean_of_defined([case[organ]["dice"] for organ in ORGANS])


def _sortable(value: float) -> float:
    return math.inf if math.isnan(value) else value
