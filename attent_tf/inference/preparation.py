"""Whether records show scans as the networks of a run learned to see them."""

import os
from typing import Any

from attent_tf.data.manifest import Manifest
from attent_tf.errors import RecordsError
from attent_tf.runs import Run
from attent_tf.tasks import Task, rule_to_json


def check_preparation(run: Run, records: str | os.PathLike, manifest: Manifest) -> None:
    """Checks that records hold the classes of a run, and target scans as its networks learned to see them.

    Raises:
      RecordsError: they do not.
    """
    if manifest.task.structure_names != run.task.structure_names or run.target not in manifest.task.domain_names:
        raise RecordsError(
            f"{records}: expected the run's task {run.task.name}, {_classes(run.task)} in {run.target}; found "
            f"{manifest.task.name}, {_classes(manifest.task)} in {', '.join(manifest.task.domain_names)}; preprocess with the "
            "run's task"
        )
    seen = _seen(manifest.options.get("preparation") or {}, manifest.task, run.target)
    learned = _seen(run.preparation, run.task, run.target)
    for key, expected in learned.items():
        if seen.get(key) != expected:
            raise RecordsError(
                f"{records}: prepared with {key} {seen.get(key)!r}, the run was trained with {expected!r}; preprocess alike"
            )


def intensity_of(preparation: dict[str, Any], task: Task, domain: str) -> dict[str, Any] | None:
    """Returns the rule of a domain as JSON: that of `PrepareOptions` as JSON, or else the task's, if it has that domain."""
    given = (preparation.get("intensity") or {}).get(domain)
    if given is None and domain in task.domain_names:
        return rule_to_json(task.domain(domain).intensity)
    return given


def _classes(task: Task) -> str:
    return ", ".join(task.structure_names)


def _seen(preparation: dict[str, Any], task: Task, target: str) -> dict[str, Any]:
    """What decides how target scans look: scans of other domains are not looked at here."""
    return preparation | {"intensity": intensity_of(preparation, task, target)}
