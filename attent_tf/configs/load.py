"""Configurations from YAML and from `key=value` on the command line, and back."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from attent_tf.configs.schema import Config
from attent_tf.configs.validate import validate
from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.plain_values import StrictReader
from attent_tf.yaml_text import parse_yaml, read_yaml

_SUFFIXES = (".yaml", ".yml")
_READER = StrictReader(by_hand=True)


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
      The checked configuration; keys that the file leaves out have the defaults of `Config`, and `name` is the file's.

    Raises:
      ConfigError: the name, a key or a value is not known; unknown keys come with the nearest known one.
    """
    content = {"name": Path(str(name_or_path)).stem, **_read(str(name_or_path))}
    for key, value in _overrides(overrides):
        _put(content, key.split("."), value)
    return config_from_dict(content, f"configuration {name_or_path}")


def given_keys(name_or_path: str, overrides: Iterable[str] = ()) -> list[str]:
    """Returns the dotted keys that a user gave: those of a file of the user's own, and of `overrides`.

    Args: as `load_config`, which has read them.
    """
    is_file = str(name_or_path).endswith(_SUFFIXES)
    keys = [key for key, _ in leaves(_read(str(name_or_path)))] if is_file else []
    return list(dict.fromkeys([*keys, *(key for key, _ in _overrides(overrides))]))


def config_from_dict(content: Mapping[str, Any], where: str = "configuration") -> Config:
    """Builds a checked configuration from nested mappings; the inverse of `config_to_dict`.

    Args:
      content: sections and values; what it leaves out has the default of its place.
      where: its name in messages; empty if the caller puts one before them.

    Raises:
      ConfigError: as `load_config`.
    """
    given = _over(config_to_dict(Config()), content)
    return validate(_READER.read(Config, given, where, joint="."), where)


def config_to_dict(config: Config) -> dict[str, Any]:
    """Returns nested dictionaries of plain values, complete and ready for YAML or JSON."""
    return {key: _plain(value) for key, value in dataclasses.asdict(config).items()}


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


def _overrides(texts: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yields the key and the value of each `key=value`."""
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise ConfigError(f"--set {text}: expected key=value, for example translation.steps=500")
        yield key.strip(), parse_yaml(value, f"--set {key}")


def _read(name_or_path: str) -> dict[str, Any]:
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


def _put(content: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        content = content.setdefault(key, {})
        if not isinstance(content, dict):
            raise ConfigError(f"--set {'.'.join(keys)}: {key} is a value, not a section")
    content[keys[-1]] = value


def _over(defaults: Mapping[str, Any], content: Any) -> Any:
    """Lays `content` over `defaults`: a section that is given in part keeps the rest of those of its place."""
    if not isinstance(content, Mapping):
        return content
    merged = dict(defaults)
    for key, value in content.items():
        merged[key] = _over(defaults[key], value) if isinstance(defaults.get(key), Mapping) else value
    return merged


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return list(value) if isinstance(value, tuple) else value
