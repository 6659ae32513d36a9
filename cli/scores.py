"""Scores as tables for the terminal."""

from collections.abc import Sequence

from attent_tf.evaluation.case_entry import ABSENT, MISSED, SPURIOUS
from attent_tf.evaluation.folder import Evaluation
from attent_tf.reporting.wording import UNPROCESSED, in_sentence

from .tables import aligned, interval, number


def score_table(entries: Sequence[tuple[str, Evaluation]]) -> list[str]:
    """Returns lines with the Dice of each structure and the averages of all metrics, one row for each entry."""
    titles = entries[0][1].task.titles
    rows = [["Dice %", *titles.values(), "Average", "ASSD voxel", "ASSD mm"]]
    for title, evaluation in entries:
        average = evaluation.average
        numbers = [evaluation.structures[name]["dice"]["mean"] for name in titles]
        numbers += [average["dice"], average["assd_voxel"], average["assd_mm"]]
        rows.append([title, *(number(value) for value in numbers)])
    return aligned(rows)


def with_and_without(title: str, evaluation: Evaluation) -> list[tuple[str, Evaluation]]:
    """Returns what `score_table` takes of an evaluation: a second entry where predictions were cleaned before scoring."""
    plain = evaluation.unprocessed
    return [(title, evaluation), *([(f"{title}, {UNPROCESSED}", plain)] if plain else [])]


def spread_table(evaluation: Evaluation, metric: str, title: str) -> list[str]:
    """Returns lines with mean, deviation, median and interval of each structure, and how many values they are over."""
    rows = [[title, "Mean", "Std", "Median", "95 % interval", "n", "Undefined", "Infinite"]]
    for name, structure_title in evaluation.task.titles.items():
        summary = evaluation.structures[name][metric]
        numbers = (number(summary[key]) for key in ("mean", "std", "median"))
        counts = (str(summary[key]) for key in ("n", "n_undefined", "n_infinite"))
        rows.append([structure_title, *numbers, interval(summary["ci95_low"], summary["ci95_high"]), *counts])
    bounds = evaluation.average_ci95[metric]
    rows.append(["Average", number(evaluation.average[metric]), "", "", interval(*bounds), "", "", ""])
    return aligned(rows)


def state_lines(evaluation: Evaluation) -> list[str]:
    """Returns a line for each case in which a structure is missed, spurious or in neither map, unless its files failed."""
    words = {
        MISSED: "missed (Dice 0, infinite distance)",
        SPURIOUS: "spurious: predicted where there is none",
        ABSENT: "in neither map: undefined, left out of means",
    }
    lines, failed = [], {failure.case for failure in evaluation.failures}
    for case in evaluation.cases:
        if case.case in failed:
            continue
        by_state: dict[str, list[str]] = {}
        for name, state in (case.states or {}).items():
            by_state.setdefault(state, []).append(in_sentence(evaluation.task.titles[name]))
        for state, structures in by_state.items():
            if state in words:
                lines.append(f"  {case.case}: {', '.join(structures)} {words[state]}")
    return lines


def failure_lines(evaluation: Evaluation) -> list[str]:
    """Returns a line for each file that could not be scored as it stands."""
    return [
        f"  {failure.case}, {failure.side}: {failure.problem} [{failure.counts_as}]" for failure in evaluation.failures
    ]
