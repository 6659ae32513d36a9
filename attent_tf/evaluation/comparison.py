"""Runs compared over the same cases: the scores of each, and every pair of them by several tests."""

import dataclasses
import itertools
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attent_tf.counting import counted
from attent_tf.errors import ConfigError, InputError
from attent_tf.evaluation.case_entry import ScoredCase
from attent_tf.evaluation.folder import Evaluation, read_evaluation
from attent_tf.metrics.bootstrap import INTERVAL_TEXT
from attent_tf.metrics.paired_statistics import STATISTICS_TEXT, PairedStatistics, paired_statistics
from attent_tf.metrics.scores import METRICS
from attent_tf.metrics.significance import holm
from attent_tf.metrics.summary import mean_of_defined, spread_of
from attent_tf.tasks import Task

AVERAGE = "average"
TESTS = ("wilcoxon_p", "t_p", "sign_flip_p")

# Volumes of one reference differ by rounding alone.
_SAME_VOLUME = 1e-6


@dataclasses.dataclass(frozen=True)
class RunScores:
    """The scores of one run by the metric of a comparison.

    Attributes:
      label: what the run is called.
      values: column (a structure, or `average`) to one score per case.
      spread: column to `mean`, `std`, `median`, `ci95_low`, `ci95_high`, `n`, `n_undefined` and `n_infinite`.
    """

    label: str
    values: dict[str, tuple[float, ...]]
    spread: dict[str, dict[str, float | int]]


@dataclasses.dataclass(frozen=True)
class Difference:
    """The difference of two runs in one column: a structure, or the average.

    Attributes:
      first, second: labels of the runs; differences are first minus second.
      column: a structure, or `average`.
      statistics: the statistics of the pairs of cases.
      corrected: each of `TESTS` to its p-value, corrected by Holm's method over all differences of the comparison.
    """

    first: str
    second: str
    column: str
    statistics: PairedStatistics
    corrected: dict[str, float]


@dataclasses.dataclass(frozen=True)
class RunComparison:
    """Runs compared by one metric.

    Attributes:
      metric: one of `METRICS`.
      protocol: by which all were scored.
      protocol_text: the protocol in words.
      task: the task of all runs.
      cases: the cases that all were scored on.
      left_out: cases that some of the runs lack.
      runs: the runs in the order given.
      differences: the pairs of runs that were asked for, each in every column.
    """

    metric: str
    protocol: str
    protocol_text: str
    task: Task
    cases: tuple[str, ...]
    left_out: tuple[str, ...]
    runs: tuple[RunScores, ...]
    differences: tuple[Difference, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The structures in their order, and `average`."""
        return columns_of(self.task)

    @property
    def text(self) -> str:
        """How the numbers came about, in words."""
        return (
            "Every case counts once; the score of a case in the column average is the mean over its structures. "
            f"{INTERVAL_TEXT} {STATISTICS_TEXT} p-values are corrected by Holm's method over the {len(self.differences)} "
            "differences of this comparison, for each test by itself."
        )


def read_runs(paths: Sequence[str | os.PathLike]) -> list[tuple[str, Evaluation]]:
    """Reads the evaluations of several runs.

    Args:
      paths: evaluation folders, or run folders that hold one as `evaluation`.

    Returns:
      (label, evaluation): the method, with its seed or else its folder where that is needed to tell two apart.

    Raises:
      InputError: a folder holds no evaluation, or one is given twice.
    """
    evaluations = [read_evaluation(_evaluation_folder(Path(path))) for path in paths]
    for first, second in itertools.combinations(evaluations, 2):
        if first.folder.resolve() == second.folder.resolve():
            raise InputError(second.folder, "each evaluation once", "it twice", "give different runs")
    labels = [str(evaluation.header["method"]) for evaluation in evaluations]
    seeds = [f"{label}, seed {e.header['seed']}" for label, e in zip(labels, evaluations, strict=True)]
    places = [os.path.abspath(path) for path in paths]
    shared = os.path.commonpath(places)
    for better in (seeds, [os.path.relpath(place, shared) for place in places]):
        if len(set(labels)) < len(labels):
            labels = better
    return list(zip(labels, evaluations, strict=True))


def compare_runs(
    entries: Sequence[tuple[str, Evaluation]],
    metric: str = "dice",
    common_cases: bool = False,
    against_first: bool = False,
) -> RunComparison:
    """Compares runs that were scored by one protocol on the same cases.

    Args:
      entries: (label, evaluation) of each run, at least two, as `read_runs` returns them.
      metric: one of `METRICS`.
      common_cases: compare the cases that all runs have, instead of refusing runs with others.
      against_first: compare the first run with each of the others, instead of every pair; fewer tests to correct for.

    Raises:
      ConfigError: there is no such metric.
      InputError: fewer than two runs, or protocols, tasks, structures, cases or references differ; one line says where.
    """
    if metric not in METRICS:
        raise ConfigError(f"metric: expected one of {', '.join(METRICS)}, found {metric!r}")
    if len(entries) < 2:
        raise InputError("runs", "at least two to compare", len(entries), "give another one")
    _check_alike(entries)
    by_case = [_scored_cases(evaluation) for _, evaluation in entries]
    cases, left_out = _shared_cases([label for label, _ in entries], by_case, common_cases)
    _check_references([label for label, _ in entries], by_case, cases, entries[0][1].task.structure_names)
    header, task = entries[0][1].header, entries[0][1].task
    runs = tuple(
        _run_scores(label, [held[case] for case in cases], metric, task)
        for (label, _), held in zip(entries, by_case, strict=True)
    )
    return RunComparison(
        metric,
        str(header["protocol"]),
        str(header.get("protocol_text", "")),
        task,
        cases,
        left_out,
        runs,
        _differences(runs, columns_of(task), against_first),
    )


def columns_of(task: Task) -> tuple[str, ...]:
    """Returns the columns of a comparison: the structures of a task in their order, and `average`."""
    return (*task.structure_names, AVERAGE)


def _evaluation_folder(path: Path) -> Path:
    for folder in (path, path / "evaluation"):
        if (folder / "metrics.json").is_file():
            return folder
    raise InputError(
        path, "an evaluation (metrics.json), or a run with one in evaluation/", "neither", "run `attent evaluate`"
    )


def _check_alike(entries: Sequence[tuple[str, Evaluation]]) -> None:
    """Refuses runs of which one was scored by another protocol or for other structures than the first."""
    (label, first), *later = entries
    for other_label, evaluation in later:
        for structures, names in (("structures", "structure_names"), ("scored structures", "scored_names")):
            shown, other_shown = (_shown(getattr(compared.task, names)) for compared in (first, evaluation))
            if shown != other_shown:
                raise InputError(
                    other_label, f"the {structures} of {label} ({shown})", other_shown, "compare runs of one task"
                )
        for key, aspect, advice in (
            ("protocol", "the protocol", "evaluate both in the same way"),
            ("organs_compared", "the structures", "score both with label maps that name the same ones"),
        ):
            shown, other_shown = (
                _shown(compared.header.get(key, compared.task.structure_names)) for compared in (first, evaluation)
            )
            if shown != other_shown:
                raise InputError(other_label, f"{aspect} of {label} ({shown})", other_shown, advice)
        if first.header.get("protocol_text") != evaluation.header.get("protocol_text"):
            expected = f"the wording of the protocol of {label}"
            raise InputError(other_label, expected, "another, so that numbers may mean something else", "evaluate anew")


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _scored_cases(evaluation: Evaluation) -> dict[str, ScoredCase]:
    return {case.case: case for case in evaluation.cases if case.labelled}


def _shared_cases(
    labels: Sequence[str], by_case: Sequence[Mapping[str, ScoredCase]], common_cases: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    everything = dict.fromkeys(case for held in by_case for case in held)
    # Sorted, so that nothing hangs on which run comes first.
    shared = tuple(sorted(case for case in everything if all(case in held for held in by_case)))
    left_out = tuple(sorted(case for case in everything if case not in shared))
    if not shared:
        raise InputError(labels[1], f"cases that {labels[0]} was scored on", "none of them", "compare other runs")
    if left_out and not common_cases:
        lacking = next(label for label, held in zip(labels, by_case, strict=True) if left_out[0] not in held)
        count = f"case {left_out[0]}" + (f" and {len(left_out) - 1} more" if len(left_out) > 1 else "")
        raise InputError(
            lacking,
            "the same scored cases in all runs",
            f"that {count} are not in all" if len(left_out) > 1 else f"that {count} is not in all",
            f"compare the {counted(len(shared), 'common one')} with --common-cases",
        )
    return shared, left_out


def _check_references(
    labels: Sequence[str], by_case: Sequence[Mapping[str, ScoredCase]], cases: Sequence[str], structures: Sequence[str]
) -> None:
    """Refuses runs that were scored against other references, or on other grids, as the volumes of structures tell."""
    for case, structure in itertools.product(cases, structures):
        volumes = [held[case].volume_ml.get(structure, {}).get("reference") for held in by_case]
        for label, volume in zip(labels[1:], volumes[1:], strict=True):
            if None not in (volume, volumes[0]) and not math.isclose(volume, volumes[0], rel_tol=_SAME_VOLUME):
                raise InputError(
                    label,
                    f"the references of {labels[0]} (case {case}, {structure}: {volumes[0]:.3f} mL)",
                    f"{volume:.3f} mL",
                    "score both against the same references on the same grid",
                )


def _run_scores(label: str, cases: Sequence[ScoredCase], metric: str, task: Task) -> RunScores:
    values = {name: tuple(case.scores[name][metric] for case in cases) for name in task.structure_names}
    values[AVERAGE] = tuple(
        mean_of_defined([case.scores[name][metric] for name in task.scored_names]) for case in cases
    )
    return RunScores(label, values, {column: spread_of(values[column]) for column in values})


def _differences(runs: Sequence[RunScores], columns: Sequence[str], against_first: bool) -> tuple[Difference, ...]:
    pairs = itertools.product(runs[:1], runs[1:]) if against_first else itertools.combinations(runs, 2)
    found = [
        (first.label, second.label, column, paired_statistics(first.values[column], second.values[column]))
        for first, second in pairs
        for column in columns
    ]
    corrected = {test: holm([getattr(entry[3], test) for entry in found]) for test in TESTS}
    return tuple(
        Difference(*entry, {test: corrected[test][index] for test in TESTS}) for index, entry in enumerate(found)
    )
