"""Tasks as plain mappings: what users write in YAML, and what manifests, runs and exported models keep as JSON."""

import dataclasses
import math
from collections.abc import Callable, Collection
from typing import Any

from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.tasks.anatomy_rule import AnatomyRule
from attent_tf.tasks.domain import DEFAULT_RULES, KINDS, Domain
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


def task_from_mapping(content: Any, where: str) -> Task:
    """Reads a task from plain values.

    Args:
      content: a mapping with `name`, `structures` and `domains`; `title` and `anatomy` may be left out. Structures are a mapping
        by name, or a list of names where there is nothing else to say of them; domains are a mapping by name of mappings, or of
        kinds alone. Titles, colours and intensity rules that are left out have defaults.
      where: what messages call it.

    Raises:
      ConfigError: names `where`, the key and what was expected; an unknown key comes with the nearest one.
    """
    try:
        _check_keys(content, ("name", "structures", "domains"), ("title", "anatomy"), "a task")
        name = _text(content["name"], "name")
        return Task(
            name=name,
            title=_text(content.get("title", _title(name)), "title"),
            structures=_structures(content["structures"]),
            domains=_domains(content["domains"]),
            anatomy=_rules(content.get("anatomy", [])),
        )
    except ConfigError as error:
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


def _structures(content: Any) -> tuple[Structure, ...]:
    entries = [(name, {}) for name in content] if _is_names(content) else []
    if isinstance(content, dict):
        entries = list(content.items())
    if not entries:
        raise ConfigError(f"structures: expected names, or a mapping by name; received {content!r}")
    return tuple(_structure(name, entry, index) for index, (name, entry) in enumerate(entries))


def _structure(name: Any, content: Any, index: int) -> Structure:
    name = _text(name, "structures")
    readers = {"title": _text, "colour": _text, "scored": _truth, "snomed": _word, "meaning": _word, "side": _word}
    values = _values(content or {}, {**readers, "weight": _number, "largest_ml": _number}, f"structures: {name}")
    defaults = {"title": _title(name), "colour": _COLOURS[index % len(_COLOURS)]}
    return Structure(name=name, **defaults | values)


def _domains(content: Any) -> tuple[Domain, ...]:
    if not isinstance(content, dict):
        raise ConfigError(f"domains: expected a mapping by name; received {content!r}")
    return tuple(_domain(name, entry) for name, entry in content.items())


def _domain(name: Any, content: Any) -> Domain:
    name = _text(name, "domains")
    where = f"domains: {name}"
    given = {"kind": content} if isinstance(content, str) else content
    values = _values(given, {"kind": _text, "title": _text, "intensity": _text}, where)
    kind = values.get("kind")
    if kind not in KINDS:
        raise ConfigError(f"{where}: expected a kind out of {', '.join(KINDS)}; received {kind!r}")
    rule = parse_rule(values["intensity"]) if "intensity" in values else DEFAULT_RULES[kind]
    return Domain(name, kind, values.get("title", name.upper()), rule)


def _rules(content: Any) -> tuple[AnatomyRule, ...]:
    if not isinstance(content, list):
        raise ConfigError(f"anatomy: expected a list of rules; received {content!r}")
    rules = []
    for entry in content:
        _check_keys(entry, ("structure", "lies", "of"), ("unless",), "anatomy: a rule")
        structure, lies = (_text(entry[key], f"anatomy: {key}") for key in ("structure", "lies"))
        of, unless = (_names(entry.get(key, []), f"anatomy: {structure}: {key}") for key in ("of", "unless"))
        rules.append(AnatomyRule(structure, lies, of, unless))
    return tuple(rules)


def _values(content: Any, readers: dict[str, Callable], where: str) -> dict[str, Any]:
    _check_keys(content, (), readers, where)
    return {key: readers[key](value, f"{where}: {key}") for key, value in content.items()}


def _check_keys(content: Any, needed: Collection[str], optional: Collection[str], what: str) -> None:
    known = (*needed, *optional)
    if not isinstance(content, dict):
        raise ConfigError(f"{what}: expected a mapping with {', '.join(known)}; received {content!r}")
    for key in content:
        if key not in known:
            raise ConfigError(f"{what}: unknown key {key!r}; known: {', '.join(known)}{did_you_mean(key, known)}")
    for key in needed:
        if key not in content:
            raise ConfigError(f"{what}: expected the keys {', '.join(needed)}; {key} is missing")


def _is_names(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(name, str) for name in content)


def _names(content: Any, where: str) -> tuple[str, ...]:
    names = [content] if isinstance(content, str) else content
    if not _is_names(names):
        raise ConfigError(f"{where}: expected a name or a list of names; received {content!r}")
    return tuple(names)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        # YAML reads a bare no or 12 as something else.
        raise ConfigError(f"{where}: expected text, in quotation marks where it looks otherwise; received {value!r}")
    return value


def _word(value: Any, where: str) -> str:
    return value if value == "" else _text(value, where)


def _truth(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: expected true or false; received {value!r}")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{where}: expected a number; received {value!r}")
    return float(value)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
