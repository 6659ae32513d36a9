"""Cases that a job sets aside, as `rejected.jsonl` tells of them."""

import dataclasses
from collections.abc import Sequence

from attent_tf.data.manifest import RejectedCase
from attent_tf.datasets.cases import natural_key
from attent_tf.datasets.find import CaseProblem
from attent_tf.errors import InputError
from beam_preprocess import notes
from beam_preprocess.plan import PlannedCase


class Rejection(notes.ErrorParts):
    """A line of `rejected.jsonl`: a case, or, where `case` is empty, a folder, and the error that keeps it from being used.

    Attributes:
      case: its identifier.
      domain: name of its domain.
      split: the split that it would have had; empty if its files were too incomplete to plan with.
      reason: one word for the check that it failed.
    """

    case: str
    domain: str
    split: str
    reason: str


def found_before(problem: CaseProblem, split: str) -> Rejection:
    """Returns the line for what was found wrong before any voxel was read."""
    parts = notes.parts_of(InputError(*dataclasses.astuple(problem.problem)))
    return {"case": problem.case, "domain": problem.domain, "split": split, "reason": problem.check, **parts}


def found_by_worker(planned: PlannedCase, parts: notes.ErrorParts) -> Rejection:
    """Returns the line for a case that a worker could not use, by the parts of its error."""
    files = planned.files
    reason = notes.reason_of(parts)
    return {"case": files.case, "domain": files.domain, "split": planned.split, "reason": reason, **parts}


def in_order(rejections: Sequence[Rejection]) -> list[Rejection]:
    """Returns them in the order in which people would sort the names of their cases."""
    return sorted(rejections, key=lambda rejection: (natural_key(rejection["case"]), rejection["message"]))


def rejected_cases(rejections: Sequence[Rejection]) -> list[RejectedCase]:
    """Returns what the manifest says of them: each case once, with what was found first; folders are not cases."""
    first: dict[str, Rejection] = {}
    for rejection in rejections:
        if rejection["case"]:
            first.setdefault(rejection["case"], rejection)
    return [RejectedCase(name, told["domain"], told["split"], told["reason"]) for name, told in first.items()]
