"""Tasks as plain mappings: what users write in YAML, and what manifests, runs and exported models keep as JSON."""

import dataclasses
import math
from collections.abc import Callable
from types import NoneType
from typing import Any

from attent_tf.errors import ConfigError
from attent_tf.plain_values import StrictReader, Text, expected, shown
from attent_tf.tasks.anatomy_rule import AnatomyRule
from attent_tf.tasks.domain import DEFAULT_RULES, KINDS, Domain
from attent_tf.tasks.intensity_rule import IntensityRule
from attent_tf.tasks.intensity_text import parse_rule, rule_text
from attent_tf.tasks.structure import Structure
from attent_tf.tasks.task import Task

# For structures without a colour of their own, after Okabe and Ito (2008), light enough to stand on a grey scan.
_COLOURS = (
    "#e69f00",
    "#56b4e9",
    "#f0e442",
    "#e0569f",
    "#4fc99b",
    "#d5763c",
    "#8fa8ff",
    "#c3b091",
    "#b3de69",
    "#ff9d9a",
    "#2fc4d6",
    "#b07aff",
    "#ffd27f",
    "#9c755f",
    "#7fd1ae",
    "#d37295",
)


@dataclasses.dataclass(frozen=True)
class _Written:
    """A task as it is written, once its parts have what may be left out of them."""

    name: Text
    structures: dict[str, Structure]
    domains: dict[str, Domain]
    title: Text | None = None
    anatomy: tuple[AnatomyRule, ...] = ()


def _rule(value: Any) -> IntensityRule:
    if isinstance(value, IntensityRule):
        return value
    if not isinstance(value, str):
        raise expected("an intensity rule as text", value)
    return parse_rule(value)


_READER = StrictReader({IntensityRule: _rule}, by_hand=True)


def task_from_mapping(content: Any, where: str = "") -> Task:
    """Reads a task from plain values.

    Args:
      content: a mapping with `name`, `structures` and `domains`; `title` and `anatomy` may be left out. Structures are a mapping
        by name, or a list of names where there is nothing else to say of them; domains are a mapping by name of mappings, or of
        kinds alone. Titles, colours and intensity rules that are left out have defaults.
      where: its name in messages; empty if the caller puts one before them.

    Raises:
      ConfigError: names `where`, the key and what was expected; an unknown key comes with the nearest one.
    """
    try:
        written = _READER.read(_Written, _filled(content))
        return Task(
            written.name,
            written.title or _title(written.name),
            tuple(written.structures.values()),
            tuple(written.domains.values()),
            written.anatomy,
        )
    except ConfigError as error:
        if not where:
            raise
        raise ConfigError(f"{where}: {error}") from error


def task_to_mapping(task: Task) -> dict[str, Any]:
    """Returns the task as a JSON object that says everything; `task_from_mapping` gives an equal one back."""
    structures = {
        structure.name: {
            key: value for key, value in dataclasses.asdict(structure).items() if key != "name" and value != math.inf
        }
        for structure in task.structures
    }
    domains = {
        domain.name: {"kind": domain.kind, "title": domain.title, "intensity": rule_text(domain.intensity)}
        for domain in task.domains
    }
    anatomy = [
        {"structure": rule.structure, "lies": rule.lies, "of": list(rule.of), "unless": list(rule.unless)}
        for rule in task.anatomy
    ]
    return {
        "name": task.name,
        "title": task.title,
        "structures": structures,
        "domains": domains,
        "anatomy": anatomy,
    }


def _filled(content: Any) -> Any:
    """Puts in what parts of a task leave out; what is wrong is left for the reader."""
    if not isinstance(content, dict) or not {"structures", "domains"} <= content.keys():
        return content
    structures = _by_name("structures", _named(content["structures"]), _structure)
    return {**content, "structures": structures, "domains": _by_name("domains", content["domains"], _domain)}


def _named(content: Any) -> Any:
    """A list of names as a mapping from them; anything else as it is."""
    if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
        return content
    if len(set(content)) < len(content):
        raise ConfigError(f"structures: expected names that differ, found {', '.join(content)}")
    return dict.fromkeys(content)


def _by_name(key: str, content: Any, fill: Callable[[str, int, Any], Any]) -> Any:
    if not isinstance(content, dict) or not content:
        either = "names, or a mapping by name" if key == "structures" else "a mapping by name"
        raise ConfigError(f"{key}: expected {either}, found {shown(content)}")
    filled = {}
    for index, (name, entry) in enumerate(content.items()):
        if isinstance(entry, dict) and "name" in entry:
            raise ConfigError(f"{key}: {name}: unknown key 'name'; the name stands before the colon")
        filled[name] = {"name": name, **entry} if isinstance(entry := fill(str(name), index, entry), dict) else entry
    return filled


def _structure(name: str, index: int, entry: Any) -> Any:
    if not isinstance(entry, dict | NoneType):
        return entry
    return {"title": _title(name), "colour": _COLOURS[index % len(_COLOURS)], **(entry or {})}


def _domain(name: str, _: int, entry: Any) -> Any:
    given = {"kind": entry} if isinstance(entry, str) else entry
    if not isinstance(given, dict):
        return given
    kind = given.get("kind")
    rule = DEFAULT_RULES[kind if isinstance(kind, str) and kind in KINDS else "other"]
    return {"kind": None, "title": name.upper(), "intensity": rule, **given}


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
