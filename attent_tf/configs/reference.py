"""The reference of all configuration keys, made from the dataclasses and their docstrings.

python -m attent_tf.configs.reference > docs/configuration.md
"""

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

from attent_tf.configs.load import config_to_dict, leaves, load_config, shipped_configs
from attent_tf.configs.schema import Config

_HEAD = """# Configuration

A configuration is a YAML file, or the name of one that ships; `--set section.key=value` changes one key. Keys that a file
leaves out have the defaults below; unknown keys and values out of range are errors. The YAML files in `attent_tf/configs/` say
where each value comes from. A run folder keeps its complete configuration in `config.yaml`. Each configuration for all methods
has a column below; those for one method, with its published settings, are at the end.

This page is made from the code: `python -m attent_tf.configs.reference > docs/configuration.md`.
"""


def reference_markdown() -> str:
    """Returns the page: for each section, its keys with meaning, default, and the values of the configurations that ship."""
    contents = {name: config_to_dict(load_config(name)) for name in shipped_configs()}
    shipped = {name: content for name, content in contents.items() if "-" not in name}
    lines = [_HEAD]
    for prefix, section in _sections(Config(), ""):
        summary = inspect.getdoc(type(section)).splitlines()[0].rstrip(".")
        lines += [f"## {f'`{prefix[:-1]}`: ' if prefix else ''}{summary}", ""]
        lines += [f"| key | meaning | default | {' | '.join(f'`{name}`' for name in shipped)} |"]
        lines += ["|---" * (3 + len(shipped)) + "|"]
        meanings = _attributes(type(section))
        for field in dataclasses.fields(section):
            if dataclasses.is_dataclass(field.type):
                continue
            values = (_value(content, prefix + field.name) for content in shipped.values())
            cells = [meanings[field.name], *map(_cell, (getattr(section, field.name), *values))]
            cells = [f"`{prefix}{field.name}`", *(cell.replace("|", "\\|") for cell in cells)]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    lines += ["## Configurations for one method", "", "These are their values that differ from the default:", ""]
    lines += [f"- `{name}`: {_departures(content)}" for name, content in contents.items() if name not in shipped]
    return "\n".join(lines).rstrip() + "\n"


def _departures(content) -> str:
    default, found = dict(leaves(config_to_dict(Config()))), dict(leaves(content))
    changed = (key for key, value in found.items() if value != default[key] and key != "name")
    return ", ".join(f"`{key}` {_cell(found[key])}" for key in changed)


def _sections(section, prefix) -> Iterator[tuple[str, Any]]:
    yield prefix, section
    for field in dataclasses.fields(section):
        if dataclasses.is_dataclass(field.type):
            yield from _sections(getattr(section, field.name), f"{prefix}{field.name}.")


def _attributes(cls) -> dict[str, str]:
    """Name -> meaning, from the section `Attributes` of the docstring, whose entries may name several."""
    text = inspect.getdoc(cls).split("Attributes:\n", 1)[1]
    entries = re.findall(r"^  (\w[\w, ]*): (.*(?:\n    .*)*)", text, re.MULTILINE)
    return {name.strip(): " ".join(meaning.split()) for names, meaning in entries for name in names.split(",")}


def _value(content: dict[str, Any], key: str) -> Any:
    for name in key.split("."):
        content = content[name]
    return content


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(list(value) if isinstance(value, tuple) else value)


if __name__ == "__main__":
    print(reference_markdown(), end="")
