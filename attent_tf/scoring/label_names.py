"""Names of labels, as nnU-Net keeps them beside its results, and the numbers that they stand for."""

import json
import os
from typing import Any

from attent_tf.errors import ConfigError
from attent_tf.names import normal_name


def read_names(given: Any, place: str, folder: str) -> dict[str, set[int]]:
    """Reads names and their numbers, from YAML or from the `labels` of an nnU-Net `dataset.json`, in either of its versions.

    Args:
      given: names and numbers, the path of a `dataset.json`, or None.
      place: what messages call it.
      folder: what the path is relative to.

    Returns:
      Each name with the numbers that it stands for.

    Raises:
      ConfigError: there is no such file, or it or `given` is something else.
    """
    if given is None:
        return {}
    if isinstance(given, str):
        path = os.path.join(folder, given)
        try:
            with open(path, encoding="utf-8") as file:
                document = json.load(file)
            given = document["labels"]
        except OSError as error:
            raise ConfigError(f"{place}: {path}: expected a dataset.json, {error.strerror}; check the path") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ConfigError(
                f"{place}: {path}: expected a JSON object with the key labels, found other content"
            ) from error
    if not isinstance(given, dict) or not given:
        raise ConfigError(f"{place}: expected names and their numbers, or a dataset.json, found {given!r}")
    named: dict[str, set[int]] = {}
    for key, value in given.items():
        # Version 1 of nnU-Net writes {"1": "liver"}, version 2 {"liver": 1}, with a list for a region.
        name, numbers = (value, key) if isinstance(value, str) and str(key).isdecimal() else (key, value)
        numbers = numbers if isinstance(numbers, list) else [numbers]
        if not all(str(number).isdecimal() and not isinstance(number, bool) for number in numbers):
            raise ConfigError(f"{place}: expected a whole number from 0 for {name!r}, found {value!r}")
        named[normal_name(str(name))] = {int(number) for number in numbers}
    return named


def names_as_numbers(given: Any, named: dict[str, set[int]], place: str) -> Any:
    """Replaces the names in `label_values` by their numbers; what is wrong otherwise is left for its reader.

    Args:
      given: structure and a number, a name, or a list of them.
      named: from `read_names`.
      place: what messages call it.

    Raises:
      ConfigError: a name is not in `named`.
    """
    if not isinstance(given, dict):
        return given
    replaced = {}
    for structure, entry in given.items():
        entries = entry if isinstance(entry, list) else [entry]
        numbers = []
        for value in (normal_name(entry) if isinstance(entry, str) else entry for entry in entries):
            if isinstance(value, str) and value not in named:
                known = f"one of {', '.join(named)}" if named else "numbers, or label_names that say what names mean"
                raise ConfigError(f"{place}: {structure}: expected {known}, found {value!r}")
            numbers += sorted(named[value]) if isinstance(value, str) else [value]
        replaced[structure] = numbers
    return replaced
