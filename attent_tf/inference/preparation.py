"""Whether records show scans as the networks of a run learned to see them."""

import os

from attent_tf.data.manifest import Manifest
from attent_tf.errors import RecordsError
from attent_tf.runs import Run
from attent_tf.tasks import IntensityRule, Task, rule_text
from attent_tf.volumes import PrepareOptions


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
    try:
        seen = _seen(manifest.prepare_options, manifest.task, run.target)
    except RecordsError as error:
        raise RecordsError(f"{records}: {error}") from error
    for key, expected in _seen(run.prepare_options, run.task, run.target).items():
        if seen[key] != expected:
            raise RecordsError(
                f"{records}: prepared with {key} {seen[key]!r}, the run was trained with {expected!r}; preprocess in the same way"
            )


def intensity_of(options: PrepareOptions, task: Task, domain: str) -> IntensityRule | None:
    """Returns the rule of a domain: that of the options, or else the task's, if it has that domain."""
    given = options.intensity.get(domain)
    return task.domain(domain).intensity if given is None and domain in task.domain_names else given


def _classes(task: Task) -> str:
    return ", ".join(task.structure_names)


def _seen(options: PrepareOptions, task: Task, target: str) -> dict[str, object]:
    """What decides how target scans look: scans of other domains are not looked at here."""
    rule = intensity_of(options, task, target)
    return vars(options) | {"intensity": None if rule is None else rule_text(rule)}
