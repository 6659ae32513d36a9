"""What went wrong, case by case, in words: the list that a mean hides."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from attent_tf.evaluation.folder import Evaluation
from attent_tf.organs import ORGAN_TITLES, ORGANS
from attent_tf.reporting.tables import case_state

# Dice in percent, below which an organ that was predicted lies somewhere else.
_MISPLACED_BELOW = 1.0
_SENTENCES = {
    "missed": "predicted nowhere",
    "misplaced": f"predicted elsewhere, Dice below {_MISPLACED_BELOW:.0f} %",
    "spurious": "predicted, but not in the reference",
}


@dataclasses.dataclass(frozen=True)
class Failure:
    """One line of the list.

    Attributes:
      kind: `failed`, `missed`, `misplaced`, `spurious` or `unlabelled`.
      method: label of the method; empty where it concerns the case alone.
      case: name of the case; empty where none is named.
      text: what happened.
      organs: how many organs it concerns; 0 where it concerns the case as a whole.
    """

    kind: str
    method: str
    case: str
    text: str
    organs: int = 0


def list_failures(entries: Sequence[tuple[str, Evaluation]]) -> list[Failure]:
    """Lists cases that failed, organs missed, misplaced or predicted where there are none, and cases without labels.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      The failures, the gravest kind first; within a kind in the order of methods and cases.
    """
    found = []
    for label, evaluation in entries:
        found += [Failure("failed", label, *_failed(item)) for item in _as_list(evaluation.header.get("failures"))]
        for case in (case for case in evaluation.cases if case.get("labelled", True)):
            for kind, text in _SENTENCES.items():
                organs = [ORGAN_TITLES[organ].lower() for organ in ORGANS if _kind(case, organ) == kind]
                if organs:
                    names = " and ".join(organs)
                    found.append(
                        Failure(kind, label, case["case"], f"{names[:1].upper()}{names[1:]}: {text}", len(organs))
                    )
    unlabelled = dict.fromkeys(c["case"] for _, e in entries for c in e.cases if not c.get("labelled", True))
    found += [Failure("unlabelled", "", case, "No reference labels: shown, not scored") for case in unlabelled]
    order = ("failed", *_SENTENCES, "unlabelled")
    return sorted(found, key=lambda failure: order.index(failure.kind))


def _kind(case: dict[str, Any], organ: str) -> str:
    state = case_state(case, organ)
    return "misplaced" if not state and case[organ]["dice"] < _MISPLACED_BELOW else state


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _failed(item: Any) -> tuple[str, str]:
    """The case and the reason of an entry of `failures`, which may be a text or an object that names the case."""
    if not isinstance(item, dict):
        return "", str(item).rstrip(".")
    known = {key: str(value) for key, value in item.items() if value not in (None, "")}
    case, counts_as = known.pop("case", ""), known.pop("counts_as", "")
    reason = known.get("problem") or "; ".join(known.values())
    return case, reason.rstrip(".") + (
        f" ({known['side']} taken as {counts_as})" if counts_as and "side" in known else ""
    )
