"""The tables of a benchmark as Markdown, and as JSON."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from attent_tf.benchmarking.tables import Direction, Row, Spread, columns_of
from attent_tf.configs import Config, config_to_dict
from attent_tf.json_numbers import to_json
from attent_tf.methods import METHODS
from attent_tf.metrics.significance import TEST_NAME
from attent_tf.reporting import published
from attent_tf.reporting.published import is_of_the_paper
from attent_tf.reporting.wording import UNPROCESSED, direction_title
from attent_tf.tasks import Task, task_to_mapping

_TITLES = {"dice": "Dice in %", "assd_voxel": "ASSD in voxels", "assd_mm": "ASSD in mm"}
_DIGITS = {"dice": 1, "assd_voxel": 2, "assd_mm": 2}
_PUBLISHED = {"dice": published.DICE_PERCENT, "assd_voxel": published.ASSD_VOXEL}
_PAPER_TEXT = (
    " *Paper* rows were measured on CHAOS and MALBCV, slice by slice, by the protocol of the released code. Data "
    "set and protocol differ, so do not compare them digit by digit."
)


def as_markdown(task: Task, tables: Mapping[str, Direction], config: str) -> str:
    """Returns the tables of each direction as Markdown.

    Args:
      task: the task of all runs; beside those of the paper's stand its own numbers.
      tables: direction -> its tables.
      config: the configuration in words.
    """
    lines = [
        f"# Benchmark of the configuration {config}",
        "",
        "Mean ± standard deviation (n − 1) over seeds of each seed's mean over the test cases. Every run was scored "
        "after its last training step; nothing was chosen by scores or by labels of the target."
        + (_PAPER_TEXT if is_of_the_paper(task) else ""),
    ]
    for direction, table in tables.items():
        lines += ["", f"## {direction_title(task, direction)}"]
        for measure, title in _TITLES.items():
            lines += ["", f"### {title}", "", *_score_lines(task, direction, measure, table)]
        lines += ["", "### Differences of Dice in points", "", *_comparison_lines(task, direction, table)]
        lines += ["", *_findings(task, table)]
    return "\n".join(lines) + "\n"


def as_json(task: Task, tables: Mapping[str, Direction], config: Config) -> dict[str, Any]:
    """Returns everything that the Markdown says, as JSON: `task`, `config`, `test` and `directions`."""
    return {
        "task": task_to_mapping(task),
        "config": config_to_dict(config),
        "test": TEST_NAME,
        "directions": {direction: to_json(dataclasses.asdict(table)) for direction, table in tables.items()},
    }


def _score_lines(task, direction, measure, table):
    columns = columns_of(task)
    yield _line("Method", "Seeds", *(task.titles.get(column, "Average") for column in columns))
    yield _line("---", *["---:"] * (len(columns) + 1))
    for row in table.rows:
        title = METHODS[row.method].title
        for name, scores in ((title, row.scores), (f"{title}, {UNPROCESSED}", row.unprocessed)):
            if scores is not None:
                cells = (_spread_text(scores[measure][column], _DIGITS[measure]) for column in columns)
                yield _line(name, str(len(row.seeds)), *cells)
    if is_of_the_paper(task):
        yield from _paper_lines(direction, measure, table, len(columns))


def _paper_lines(direction, measure, table, columns):
    for row in table.rows:
        if numbers := _PUBLISHED.get(measure, {}).get(direction, {}).get(row.method):
            yield _line(f"*Paper, Table I: {METHODS[row.method].title}*", "", *(f"*{number:g}*" for number in numbers))
    kind, ablation = published.ABLATION[direction]
    for row in table.rows:
        if kind == measure and row.method in ablation:
            mean, std = ablation[row.method]
            blank = [""] * (columns - 1)
            yield _line(f"*Paper, Table II: {METHODS[row.method].title}*", "", *blank, f"*{mean:g} ± {std:g}*")


def _comparison_lines(task, direction, table):
    in_paper = is_of_the_paper(task)
    paper = dict(zip(published.PAIRS, published.P_VALUES[direction], strict=True)) if in_paper else {}
    head = ["Pair", "Difference", "Cases", "p", "p, corrected", "Least p", *["*p in the paper*"] * in_paper]
    yield _line(*head)
    yield _line("---", *["---:"] * (len(head) - 1))
    for pair in table.comparisons:
        test = pair.test
        yield _line(
            f"{METHODS[pair.second].title} − {METHODS[pair.first].title}",
            f"{-test.mean_difference:+.1f}".replace("-", "−"),
            str(test.n),
            *(f"{value:.3f}" for value in (test.p_value, pair.corrected, test.least_p_value)),
            *([f"*{paper[pair.first, pair.second]}*"] if in_paper else []),
        )
    yield ""
    yield f"Test: {TEST_NAME}; pairs are test cases, each with its scores averaged over seeds."


def _findings(task, table):
    rows = {row.method: row for row in table.rows}
    order = sorted(rows, key=lambda method: _average(rows[method]))
    expected = [method for method in published.EXPECTED_ORDER if method in rows]
    in_paper = f"; in the paper: {' < '.join(expected)}" if is_of_the_paper(task) else ""
    yield f"- Order by Dice: {' < '.join(order)}{in_paper}."
    if {"attent", "supervised"} <= rows.keys():
        gap = _average(rows["supervised"]) - _average(rows["attent"])
        yield f"- AttENT is {abs(gap):.1f} points {'below' if gap >= 0 else 'above'} supervised training on the target."
    if {"attent", "source_only"} <= rows.keys():
        inverted = ", ".join(str(seed) for seed in table.inverted_seeds) or "none"
        yield f"- Seeds whose AttENT scores below no adaptation (an inverted translation): {inverted}."
    warned = [
        f"{METHODS[row.method].title}, seed {seed}: {warning}"
        for row in table.rows
        for seed, warnings in row.warnings_by_seed.items()
        for warning in warnings
    ]
    yield f"- Warnings, for which no label of the target was read:{'' if warned else ' none.'}"
    yield from (f"  - {line}" for line in warned)
    for row in table.rows:
        seeds = ", ".join(f"{seed}: {dice:.1f}" for seed, dice in sorted(row.dice_by_seed.items()))
        yield f"- {METHODS[row.method].title}, average Dice by seed: {seeds}."


def _average(row: Row) -> float:
    return row.scores["dice"]["average"].mean


def _spread_text(value: Spread, digits: int) -> str:
    if not value.n:
        return "–"
    if math.isinf(value.mean):
        return f"∞ ({value.n_infinite} of {value.n})"
    return f"{value.mean:.{digits}f}" + (f" ± {value.std:.{digits}f}" if math.isfinite(value.std) else "")


def _line(*cells):
    return f"| {' | '.join(cells)} |"
