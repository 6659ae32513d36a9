"""YAML that users write, read with errors of one line."""

import os
from pathlib import Path
from typing import Any

import yaml

from attent_tf.errors import ConfigError

# What PyYAML lets through beside its own errors, where a value does not fit its kind: 2026-13-45, !!bool maybe, [[[[…
_LEAKS = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class _Loader(yaml.SafeLoader):
    """PyYAML would silently keep the last of two equal keys."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            known = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
            if known in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} is there twice", problem_mark=key.start_mark)
            seen.add(known)
        return node


def parse_yaml(text: str, where: str) -> Any:
    """Reads YAML text as plain values.

    Args:
      text: the text; tags that would make other objects are refused, and so is a mapping with a key twice.
      where: what messages call it.

    Raises:
      ConfigError: names `where` and the fault, with its line where the parser knows it.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, *_LEAKS) as error:
        raise ConfigError(f"{where}: not valid YAML ({' '.join(str(error).split())})") from error


def read_yaml(path: str | os.PathLike[str], kind: str) -> Any:
    """Reads a YAML file as plain values.

    Args:
      path: the file.
      kind: what it should be, for messages: `a split file`.

    Raises:
      ConfigError: names the file: it cannot be read, is no text in UTF-8, or is not YAML.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: expected {kind}, {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected {kind} as YAML text in UTF-8, found other bytes") from error
    return parse_yaml(text, str(path))
