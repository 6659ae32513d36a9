"""Configurations from YAML and from `key=value` on the command line, and back."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from attent_tf.configs.schema import Config
from attent_tf.configs.validate import validate
from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.yaml_text import parse_yaml, read_yaml

_SUFFIXES = (".yaml", ".yml")


def shipped_configs() -> list[str]:
    """Returns the names of the configurations that ship with the library."""
    folder = resources.files("attent_tf.configs")
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_config(name_or_path: str, overrides: Iterable[str] = ()) -> Config:
    """Reads a configuration by name (`paper`, `demo`, …) or from a YAML file.

    Args:
      name_or_path: a shipped name, or the path of a `.yaml` file.
      overrides: `key=value` with dotted keys, for example `translation.steps=500`; values are YAML.

    Returns:
      The checked configuration; keys that the file leaves out have the defaults of `attent_tf.configs.schema`, and `name` is
      the file's.

    Raises:
      ConfigError: the name, a key or a value is not known; unknown keys come with the nearest known one.
    """
    content = {"name": Path(str(name_or_path)).stem, **_read(str(name_or_path))}
    for key, value in _overrides(overrides):
        _put(content, key.split("."), value)
    return validate(_build(Config, content, ""))


def given_keys(name_or_path: str, overrides: Iterable[str] = ()) -> list[str]:
    """Returns the dotted keys that a user gave: those of a file of the user's own, and of `overrides`.

    Args: as `load_config`, which has read them.
    """
    is_file = str(name_or_path).endswith(_SUFFIXES)
    keys = [key for key, _ in leaves(_read(str(name_or_path)))] if is_file else []
    return list(dict.fromkeys([*keys, *(key for key, _ in _overrides(overrides))]))


def config_from_dict(content: Mapping[str, Any]) -> Config:
    """Builds a checked configuration from nested mappings; the inverse of `config_to_dict`."""
    return validate(_build(Config, content, ""))


def config_to_dict(config: Config) -> dict[str, Any]:
    """Returns nested dictionaries of plain values, complete and ready for YAML or JSON."""
    return _plain(dataclasses.asdict(config))


def config_to_yaml(config: Config) -> str:
    """Returns the complete configuration as YAML text that `load_config` reads back equal."""
    return yaml.safe_dump(config_to_dict(config), sort_keys=False)


def leaves(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the dotted key and the value of each value of nested mappings that is no section."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _overrides(texts):
    """Yields the key and the value of each `key=value`."""
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {text}: expected key=value, for example translation.steps=500")
        yield key.strip(), parse_yaml(value, f"--set {key}")


def _read(name_or_path):
    if name_or_path.endswith(_SUFFIXES):
        content = read_yaml(name_or_path, "a configuration")
    else:
        names = shipped_configs()
        if name_or_path not in names:
            hint = did_you_mean(name_or_path, names)
            raise ConfigError(
                f"unknown configuration {name_or_path!r}: expected one of {', '.join(names)}, or a .yaml file{hint}"
            )
        text = resources.files("attent_tf.configs").joinpath(f"{name_or_path}.yaml").read_text(encoding="utf-8")
        content = parse_yaml(text, name_or_path)
    if not isinstance(content, dict):
        raise ConfigError(f"{name_or_path}: expected a YAML mapping of configuration keys")
    return content


def _put(content, keys, value):
    for key in keys[:-1]:
        content = content.setdefault(key, {})
        if not isinstance(content, dict):
            raise ConfigError(f"--set {'.'.join(keys)}: {key} is a value, not a section")
    content[keys[-1]] = value


def _build(cls, content, prefix):
    if not isinstance(content, Mapping):
        raise ConfigError(f"configuration key {prefix.rstrip('.')}: expected a section; received {content!r}")
    known = {field.name: field for field in dataclasses.fields(cls)}
    values = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise ConfigError(f"unknown configuration key {prefix}{key}; {hint}")
        field = known[key]
        kind = field.type
        if dataclasses.is_dataclass(value):
            values[key] = value
        elif dataclasses.is_dataclass(kind):
            # A section that is given in part keeps the defaults of the section that holds it.
            values[key] = _build(kind, {**vars(field.default), **_section(value, prefix + key)}, f"{prefix}{key}.")
        else:
            values[key] = _convert(kind, value, prefix + key)
    return cls(**values)


def _section(value, key):
    if not isinstance(value, Mapping):
        raise ConfigError(f"configuration key {key}: expected a section; received {value!r}")
    return value


def _convert(kind, value, key):
    if typing.get_origin(kind) is tuple or isinstance(kind, types.GenericAlias):
        item = typing.get_args(kind)[0]
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"configuration key {key}: expected a list; received {value!r}")
        return tuple(_convert(item, entry, key) for entry in value)
    if isinstance(value, bool) and kind is not bool:
        raise ConfigError(f"configuration key {key}: expected {kind.__name__}; received {value!r}")
    if kind is float:
        # YAML reads 1e-4 as a string.
        try:
            return float(value)
        except (TypeError, ValueError):
            raise ConfigError(f"configuration key {key}: expected a number; received {value!r}") from None
    if not isinstance(value, kind):
        raise ConfigError(f"configuration key {key}: expected {kind.__name__}; received {value!r}")
    return value


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return list(value) if isinstance(value, tuple) else value
