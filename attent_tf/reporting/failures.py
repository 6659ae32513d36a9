"""What went wrong, case by case, in words: the list that a mean hides."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from attent_tf.evaluation.case_entry import ScoredCase
from attent_tf.evaluation.folder import Evaluation
from attent_tf.reporting.tables import case_state
from attent_tf.reporting.wording import in_sentence

# Dice in percent, below which a structure that was predicted lies somewhere else.
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
      method: label of the method; empty if it concerns the case alone.
      case: name of the case; empty if none is named.
      text: what happened.
      structures: how many structures it concerns; 0 where it concerns the case as a whole.
    """

    kind: str
    method: str
    case: str
    text: str
    structures: int = 0


def list_failures(entries: Sequence[tuple[str, Evaluation]]) -> list[Failure]:
    """Lists cases that failed, structures missed, misplaced or predicted where there are none, and cases without labels.

    Args:
      entries: (label, evaluation) of each method.

    Returns:
      The failures, the gravest kind first; within a kind in the order of methods and cases.
    """
    found = []
    for label, evaluation in entries:
        titles = evaluation.task.titles
        found += [Failure("failed", label, *_failed(item)) for item in _as_list(evaluation.header.get("failures"))]
        for case in (case for case in evaluation.cases if case.labelled):
            for kind, text in _SENTENCES.items():
                concerned = [in_sentence(title) for name, title in titles.items() if _kind(case, name) == kind]
                if concerned:
                    names = _listed(concerned)
                    found.append(
                        Failure(kind, label, case.case, f"{names[:1].upper()}{names[1:]}: {text}", len(concerned))
                    )
    unlabelled = dict.fromkeys(c.case for _, e in entries for c in e.cases if not c.labelled)
    found += [Failure("unlabelled", "", case, "No reference labels: shown, not scored") for case in unlabelled]
    order = ("failed", *_SENTENCES, "unlabelled")
    return sorted(found, key=lambda failure: order.index(failure.kind))


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _kind(case: ScoredCase, structure: str) -> str:
    state = case_state(case, structure)
    return "misplaced" if not state and case.scores[structure]["dice"] < _MISPLACED_BELOW else state


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
