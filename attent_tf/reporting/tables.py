"""Tables of scores as text cells, ready for a page."""

import dataclasses
import math
from collections.abc import Sequence

from attent_tf.counting import counted
from attent_tf.evaluation.case_entry import ScoredCase
from attent_tf.evaluation.folder import Evaluation
from attent_tf.metrics.summary import mean_of_defined
from attent_tf.reporting import published
from attent_tf.reporting.wording import UNDEFINED, method_title, metric_digits, metric_title, number
from attent_tf.tasks import Task


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
      text: what counts.
      detail: what stands smaller beside or below it.
      state: `missed`, `spurious`, `undefined` or empty.
      median: the median of the values that the text is the mean of; empty if the evaluation has none.
      interval: the 95 % interval of that mean, likewise.
    """

    text: str
    detail: str = ""
    state: str = ""
    median: str = ""
    interval: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table: what it is about, and its cells."""

    label: str
    note: str
    cells: tuple[Cell, ...]


@dataclasses.dataclass(frozen=True)
class ScoreGroup:
    """The scores by one metric.

    Attributes:
      metric: its key in `metrics.json`.
      title: its name and unit.
      rows: one for each method; the cells are the structures in their order and the average.
      paper: the same of the paper's Table I, where it has that metric.
    """

    metric: str
    title: str
    rows: list[Row]
    paper: list[Row]


def score_groups(entries: Sequence[tuple[str, Evaluation]]) -> list[ScoreGroup]:
    """Makes the table of scores of one direction: a group of rows for each metric that any method has.

    Args:
      entries: (label, evaluation) of each method, all of one task.
    """
    task = entries[0][1].task
    metrics = dict.fromkeys(metric for _, evaluation in entries for metric in evaluation.average)
    direction = entries[0][1].header.get("direction")
    groups = []
    for metric in metrics:
        having = [(label, evaluation) for label, evaluation in entries if metric in evaluation.average]
        rows = [
            Row(label, _count(evaluation, metric), _score_cells(evaluation, metric)) for label, evaluation in having
        ]
        groups.append(ScoreGroup(metric, metric_title(metric), rows, _paper_rows(task, metric, direction)))
    return groups


def _paper_rows(task: Task, metric: str, direction: object) -> list[Row]:
    if not published.is_of_the_paper(task):
        return []
    tables = {"dice": published.DICE_PERCENT, "assd_voxel": published.ASSD_VOXEL}
    rows = []
    for method, values in tables.get(metric, {}).get(direction, {}).items():
        # As the paper prints them: its own rows have two decimals, the others one.
        digits = max(1, *(len(f"{value:g}".partition(".")[2]) for value in values))
        rows.append(Row(f"{method_title(method)}, paper", "", tuple(Cell(f"{value:.{digits}f}") for value in values)))
    return rows


def case_rows(entries: Sequence[tuple[str, Evaluation]]) -> list[tuple[str, list[Row]]]:
    """Makes the table of labelled cases, worst first.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      (case, rows): cases ascending in the mean Dice over structures and methods; a row for each method that has the case.
    """
    task = entries[0][1].task
    scored = task.scored_names
    by_case: dict[str, list[tuple[str, ScoredCase]]] = {}
    for label, evaluation in entries:
        for case in evaluation.cases:
            if case.labelled:
                by_case.setdefault(case.case, []).append((label, case))
    order = sorted(
        by_case, key=lambda name: (_sortable(mean_of_defined([mean_dice(c, scored) for _, c in by_case[name]])), name)
    )
    return [(name, [Row(label, "", case_cells(case, task)) for label, case in by_case[name]]) for name in order]


def volume_rows(entries: Sequence[tuple[str, Evaluation]]) -> list[tuple[str, list[Row]]]:
    """Makes the table of cases without labels: the predicted volume of each structure in millilitres.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      (case, rows) in the order of the evaluations.
    """
    by_case: dict[str, list[Row]] = {}
    for label, evaluation in entries:
        for case in evaluation.cases:
            if not case.labelled:
                volumes = (case.volume_ml[name]["prediction"] for name in evaluation.task.structure_names)
                cells = tuple(Cell(f"{volume:.0f}") for volume in volumes)
                by_case.setdefault(case.case, []).append(Row(label, "", cells))
    return list(by_case.items())


def cases_from_worst_to_best(evaluations: Sequence[Evaluation]) -> list[str]:
    """Returns the names of all cases by ascending mean Dice over structures and methods; unlabelled cases come last."""
    values: dict[str, list[float]] = {}
    for evaluation in evaluations:
        for case in evaluation.cases:
            values.setdefault(case.case, []).append(mean_dice(case, evaluation.task.scored_names))
    return sorted(values, key=lambda name: (_sortable(mean_of_defined(values[name])), name))


def case_state(case: ScoredCase, structure: str) -> str:
    """Returns `missed`, `spurious` (predicted where there is none), `undefined`, `not compared`, or nothing for a score."""
    if case.states is not None:
        state = case.states.get(structure, "")
        return "undefined" if state == "absent" else state
    if math.isnan(case.scores[structure]["dice"]):
        return "undefined"
    if not math.isinf(case.scores[structure]["assd_mm"]):
        return ""
    volumes = case.volume_ml.get(structure, {})
    return "spurious" if volumes.get("reference") == 0.0 else "missed"


def _count(evaluation: Evaluation, metric: str) -> str:
    """Says how many values every mean of a row is over; empty if that differs between structures."""
    summaries = [summary[metric] for summary in evaluation.structures.values()]
    counts = {summary["n"] for summary in summaries}
    same = len(counts) == 1 and not any(summary["n_undefined"] for summary in summaries)
    return f"n {counts.pop()}" if same else ""


def _score_cells(evaluation: Evaluation, metric: str) -> tuple[Cell, ...]:
    digits = metric_digits(metric)
    cells = []
    for by_metric in evaluation.structures.values():
        summary = by_metric[metric]
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
        state = "missed" if summary["n_infinite"] else ""
        median = summary.get("median", math.nan)
        interval = _interval(summary.get("ci95_low", math.nan), summary.get("ci95_high", math.nan), digits)
        median = "" if math.isnan(median) else number(median, digits)
        cells.append(Cell(text, ", ".join(details), state, median, interval))
    average = evaluation.average[metric]
    scored = evaluation.task.scored_names
    defined = sum(evaluation.structures[name][metric]["n"] > 0 for name in scored)
    detail = "" if defined == len(scored) else f"{defined} of {counted(len(scored), 'structure')}"
    interval = _interval(*getattr(evaluation, "average_ci95", {}).get(metric, (math.nan, math.nan)), digits)
    state = "undefined" if math.isnan(average) else ""
    return (*cells, Cell(number(average, digits), detail, state, interval=interval))


def _interval(low: float, high: float, digits: int) -> str:
    return "" if math.isnan(low) or math.isnan(high) else f"{number(low, digits)} to {number(high, digits)}"


def case_cells(case: ScoredCase, task: Task) -> tuple[Cell, ...]:
    """Returns Dice of each structure of a case and the mean of those that are scored, with the ASSD in mm as detail."""
    cells = []
    for name in task.structure_names:
        state, score = case_state(case, name), case.scores[name]
        if state == "undefined":
            cells.append(Cell(UNDEFINED, "in neither map", state))
        elif state == "not compared":
            cells.append(Cell(UNDEFINED, state, "undefined"))
        elif state:
            cells.append(Cell(state, f"Dice {number(score['dice'], metric_digits('dice'))}", state))
        else:
            distance = number(score["assd_mm"], metric_digits("assd_mm"))
            cells.append(
                Cell(number(score["dice"], metric_digits("dice")), "" if distance == UNDEFINED else f"{distance} mm")
            )
    mean_mm = mean_of_defined([case.scores[name]["assd_mm"] for name in task.scored_names])
    return (
        *cells,
        Cell(number(mean_dice(case, task.scored_names), 1), "" if math.isnan(mean_mm) else f"{number(mean_mm, 2)} mm"),
    )


def mean_dice(case: ScoredCase, scored: Sequence[str]) -> float:
    """Returns the mean Dice of a case over the structures in `scored` that are in either map, in percent."""
    return mean_of_defined([case.scores[name]["dice"] for name in scored])


def _sortable(value: float) -> float:
    return math.inf if math.isnan(value) else value
