"""Tasks that ship with the library, and the user's own."""

import functools
import importlib.resources
import os

from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.tasks.mapping import task_from_mapping
from attent_tf.tasks.task import Task
from attent_tf.yaml_text import parse_yaml, read_yaml

SHIPPED_TASKS = ("abdomen", "cardiac", "shapes")
DEFAULT_TASK = "abdomen"


def load_task(name_or_path: str | os.PathLike[str] = DEFAULT_TASK) -> Task:
    """Reads a task.

    Args:
      name_or_path: a name of `SHIPPED_TASKS`, or a YAML file, see `task_from_mapping`.

    Raises:
      ConfigError: there is no such task, or something in it is wrong: names the file and the key.
    """
    where = str(name_or_path)
    if where in SHIPPED_TASKS:
        return _shipped(where)
    if not where.lower().endswith((".yaml", ".yml")):
        near = did_you_mean(where, SHIPPED_TASKS)
        raise ConfigError(f"task {where!r}: expected one of {', '.join(SHIPPED_TASKS)}, or a .yaml file{near}")
    return task_from_mapping(read_yaml(where, "the description of a task"), where)


@functools.cache
def _shipped(name: str) -> Task:
    text = importlib.resources.files("attent_tf.tasks").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return task_from_mapping(parse_yaml(text, name), name)
