"""The tables of a benchmark as Markdown, and as JSON."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from attent_tf.benchmark.tables import COLUMNS, Direction, Row, Spread
from attent_tf.configs import Config, config_to_dict
from attent_tf.json_numbers import to_json
from attent_tf.methods import METHODS
from attent_tf.metrics.significance import TEST_NAME
from attent_tf.organs import ORGAN_TITLES
from attent_tf.reporting import published
from attent_tf.reporting.wording import UNPROCESSED

_TITLES = {"dice": "Dice in %", "assd_voxel": "ASSD in voxels", "assd_mm": "ASSD in mm"}
_DIGITS = {"dice": 1, "assd_voxel": 2, "assd_mm": 2}
_PUBLISHED = {"dice": published.DICE_PERCENT, "assd_voxel": published.ASSD_VOXEL}
_DIRECTION_TITLES = {"mri2ct": "MRI ⇒ CT", "ct2mri": "CT ⇒ MRI"}


def as_markdown(tables: Mapping[str, Direction], config: str) -> str:
    """Returns the tables of each direction as Markdown.

    Args:
      tables: direction -> its tables.
      config: the configuration in words.
    """
    lines = [
        f"# Benchmark of the configuration {config}",
        "",
        "Mean ± standard deviation (n − 1) over seeds of a seed's mean over the test cases. Last training step of every run; "
        "nothing was chosen by scores or by labels of the target. *Paper* rows: CHAOS and MALBCV, slice by slice by the "
        "protocol of the released code: another data set and another protocol, not to be compared digit by digit.",
    ]
    for direction, table in tables.items():
        lines += ["", f"## {_DIRECTION_TITLES[direction]}"]
        for measure, title in _TITLES.items():
            lines += ["", f"### {title}", "", *_score_lines(direction, measure, table)]
        lines += ["", "### Differences of Dice in points", "", *_comparison_lines(direction, table)]
        lines += ["", *_findings(table)]
    return "\n".join(lines) + "\n"


def as_json(tables: Mapping[str, Direction], config: Config) -> dict[str, Any]:
    """Returns everything that the Markdown says, as JSON: `config`, `test` and `directions`."""
    return {
        "config": config_to_dict(config),
        "test": TEST_NAME,
        "directions": {direction: to_json(dataclasses.asdict(table)) for direction, table in tables.items()},
    }


def _score_lines(direction, measure, table):
    yield _line("Method", "Seeds", *(ORGAN_TITLES.get(column, "Average") for column in COLUMNS))
    yield _line("---", *["---:"] * (len(COLUMNS) + 1))
    for row in table.rows:
        title = METHODS[row.method].title
        for name, scores in ((title, row.scores), (f"{title}, {UNPROCESSED}", row.unprocessed)):
            if scores is not None:
                cells = (_spread_text(scores[measure][column], _DIGITS[measure]) for column in COLUMNS)
                yield _line(name, str(len(row.seeds)), *cells)
    for row in table.rows:
        if numbers := _PUBLISHED.get(measure, {}).get(direction, {}).get(row.method):
            yield _line(f"*Paper, Table I: {METHODS[row.method].title}*", "", *(f"*{number:g}*" for number in numbers))
    kind, ablation = published.ABLATION[direction]
    for row in table.rows:
        if kind == measure and row.method in ablation:
            mean, std = ablation[row.method]
            blank = [""] * (len(COLUMNS) - 1)
            yield _line(f"*Paper, Table II: {METHODS[row.method].title}*", "", *blank, f"*{mean:g} ± {std:g}*")


def _comparison_lines(direction, table):
    paper = dict(zip(published.PAIRS, published.P_VALUES[direction], strict=True))
    yield _line("Pair", "Difference", "Cases", "p", "p, corrected", "Least p", "*p in the paper*")
    yield _line("---", *["---:"] * 6)
    for pair in table.comparisons:
        test = pair.test
        yield _line(
            f"{METHODS[pair.second].title} − {METHODS[pair.first].title}",
            f"{-test.mean_difference:+.1f}".replace("-", "−"),
            str(test.n),
            *(f"{value:.3f}" for value in (test.p_value, pair.corrected, test.least_p_value)),
            f"*{paper[pair.first, pair.second]}*",
        )
    yield ""
    yield f"Test: {TEST_NAME}; pairs are test cases, each with its scores averaged over seeds."


def _findings(table):
    rows = {row.method: row for row in table.rows}
    order = sorted(rows, key=lambda method: _average(rows[method]))
    expected = [method for method in published.EXPECTED_ORDER if method in rows]
    yield f"- Order by Dice: {' < '.join(order)}; in the paper: {' < '.join(expected)}."
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
