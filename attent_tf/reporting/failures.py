"""What went wrong, case by case, in words: the list that a mean hides."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from attent_tf.metrics.evaluation import Evaluation
from attent_tf.organs import ORGAN_TITLES, ORGANS
from attent_tf.reporting.tables import case_state


@dataclasses.dataclass(frozen=True)
class Failure:
    """One line of the list.

    Attributes:
      kind: `missed`, `spurious`, `unlabelled` or `failed`.
      method: label of the method; empty where it concerns the case alone.
      case: name of the case; empty where none is named.
      text: what happened.
    """

    kind: str
    method: str
    case: str
    text: str


def list_failures(entries: Sequence[tuple[str, Evaluation]]) -> list[Failure]:
    """Lists cases that could not be scored, missed organs, organs predicted where there are none, and unlabelled cases.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      The failures, the gravest kind first; within a kind by method and case.
    """
    found = []
    for label, evaluation in entries:
        found += [Failure("failed", label, *_failed(item)) for item in _as_list(evaluation.header.get("failures"))]
        for case in evaluation.cases:
            states = {organ: case_state(case, organ) for organ in ORGANS}
            for kind, text in (
                ("missed", "{} missed: predicted nowhere"),
                ("spurious", "{} predicted, in no reference"),
            ):
                organs = [ORGAN_TITLES[organ].lower() for organ in ORGANS if states[organ] == kind]
                if organs and case.get("labelled", True):
                    sentence = text.format(" and ".join(organs))
                    found.append(Failure(kind, label, case["case"], sentence[:1].upper() + sentence[1:]))
    unlabelled = dict.fromkeys(c["case"] for _, e in entries for c in e.cases if not c.get("labelled", True))
    found += [Failure("unlabelled", "", case, "No reference labels: shown, not scored") for case in unlabelled]
    order = ("failed", "missed", "spurious", "unlabelled")
    return sorted(found, key=lambda failure: order.index(failure.kind))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _failed(item: Any) -> tuple[str, str]:
    """The case and the reason of an entry of `failures`, which may be a text or an object that names the case."""
    if not isinstance(item, dict):
        return "", str(item)
    rest = [str(value) for key, value in item.items() if key != "case" and value not in (None, "")]
    return str(item.get("case") or ""), "; ".join(rest)
