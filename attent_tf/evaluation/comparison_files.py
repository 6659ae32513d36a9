"""A comparison of runs as JSON and as tables for a spreadsheet."""

import csv
import dataclasses
import io
from collections.abc import Iterable, Sequence
from typing import Any

from attent_tf.evaluation.comparison import TESTS, RunComparison
from attent_tf.json_numbers import to_json
from attent_tf.metrics.paired_statistics import PairedStatistics
from attent_tf.tasks import task_to_mapping

_STATISTICS = tuple(field.name for field in dataclasses.fields(PairedStatistics))
_SPREAD = ("mean", "std", "median", "ci95_low", "ci95_high", "n", "n_undefined", "n_infinite")


def comparison_json(comparison: RunComparison) -> dict[str, Any]:
    """Returns everything that a comparison says, as strict JSON; undefined is null, infinite is `"inf"`."""
    return to_json(
        {**dataclasses.asdict(comparison), "task": task_to_mapping(comparison.task), "text": comparison.text}
    )


def scores_csv(comparison: RunComparison) -> str:
    """Returns one row for each run and column, with what its scores are over all cases."""
    return _csv(
        ("run", "organ", *_SPREAD),
        (
            (run.label, column, *(run.spread[column][key] for key in _SPREAD))
            for run in comparison.runs
            for column in comparison.columns
        ),
    )


def cases_csv(comparison: RunComparison) -> str:
    """Returns one row for each run, column and case."""
    return _csv(
        ("run", "organ", "case", comparison.metric),
        (
            (run.label, column, case, value)
            for run in comparison.runs
            for column in comparison.columns
            for case, value in zip(comparison.cases, run.values[column], strict=True)
        ),
    )


def differences_csv(comparison: RunComparison) -> str:
    """Returns one row for each pair of runs and column."""
    return _csv(
        ("first", "second", "organ", *_STATISTICS, *(f"{test}_holm" for test in TESTS)),
        (
            (
                difference.first,
                difference.second,
                difference.column,
                *(getattr(difference.statistics, name) for name in _STATISTICS),
                *(difference.corrected[test] for test in TESTS),
            )
            for difference in comparison.differences
        ),
    )


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(head)
    for row in rows:
        table.writerow(["" if to_json(cell) is None else to_json(cell) for cell in row])
    return text.getvalue()
