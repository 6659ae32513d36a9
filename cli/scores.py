"""Scores as a table for the terminal."""

from collections.abc import Sequence

from attent_tf.metrics.evaluation import Evaluation
from attent_tf.organs import ORGAN_TITLES, ORGANS
from attent_tf.reporting.wording import number


def score_table(entries: Sequence[tuple[str, Evaluation]]) -> list[str]:
    """Returns lines with the Dice of each organ and the averages of all metrics, one row for each entry."""
    head = ["Dice %", *(ORGAN_TITLES[organ] for organ in ORGANS), "Average", "ASSD voxel", "ASSD mm"]
    rows = [head]
    for title, evaluation in entries:
        average = evaluation.average
        values = [evaluation.organs[organ]["dice"]["mean"] for organ in ORGANS]
        values += [average["dice"], average["assd_voxel"], average["assd_mm"]]
        rows.append([title, *(number(value, 2) for value in values)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
