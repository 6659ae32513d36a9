"""Methods compared in pairs over the same cases."""

import dataclasses
import math
from collections.abc import Sequence

from attent_tf.evaluation.folder import Evaluation
from attent_tf.metrics.significance import holm, paired_test
from attent_tf.metrics.summary import mean_of_defined


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One line of the table of comparisons, as text.

    Attributes:
      label: the two methods.
      difference: mean difference of Dice in percentage points.
      n: number of cases that both were scored on.
      p_value: without correction.
      corrected: corrected for the number of comparisons.
      least: the smallest p-value that this many cases allow.
    """

    label: str
    difference: str
    n: int
    p_value: str
    corrected: str
    least: str


def compare_with(main: int, entries: Sequence[tuple[str, Evaluation]]) -> list[Comparison]:
    """Compares one method with every other by the mean Dice of each case, where both share a protocol and cases.

    Args:
      main: index of that method.
      entries: (label, evaluation) of each method.
    """
    label, evaluation = entries[main]
    scores = _mean_dice_by_case(evaluation)
    tests = []
    for index, (other_label, compared) in enumerate(entries):
        if index == main or compared.header["protocol"] != evaluation.header["protocol"]:
            continue
        other_scores = _mean_dice_by_case(compared)
        shared = [case for case in scores if case in other_scores]
        if shared:
            test = paired_test([scores[case] for case in shared], [other_scores[case] for case in shared])
            tests.append((f"{label} − {other_label}", test))
    corrected = holm([test.p_value for _, test in tests])
    return [
        Comparison(
            label=name,
            difference=f"{test.mean_difference:+.1f}".replace("-", "−"),
            n=test.n,
            p_value=_p_text(test.p_value),
            corrected=_p_text(p_value),
            least=_p_text(test.least_p_value),
        )
        for (name, test), p_value in zip(tests, corrected, strict=True)
    ]


def _mean_dice_by_case(evaluation: Evaluation) -> dict[str, float]:
    scored = evaluation.task.scored_names
    values = {case.case: mean_of_defined([case.scores[name]["dice"] for name in scored]) for case in evaluation.cases}
    return {case: value for case, value in values.items() if not math.isnan(value)}


def _p_text(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"
