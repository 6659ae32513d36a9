"""Descriptions of data sets from YAML: those that ship with the library and the user's own."""

import dataclasses
import difflib
import importlib.resources
import os
import re
from collections.abc import Callable, Collection
from typing import Any

from attent_tf.datasets.description import DatasetDescription
from attent_tf.errors import ConfigError
from attent_tf.tasks import IntensityRule
from attent_tf.yaml_text import parse_yaml, read_yaml

SHIPPED = (
    *("chaos", "chaos-t1-in", "chaos-t1-out", "malbcv", "nifti", "dicom"),
    *("amos-ct", "amos-mri", "crossmoda-t1", "crossmoda-t2", "mmwhs-ct", "mmwhs-mri"),
    *("sifa-ct", "sifa-mri", "totalsegmentator-ct", "totalsegmentator-mri"),
)

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def load_description(name_or_path: str | os.PathLike) -> DatasetDescription:
    """Reads the description of a data set.

    Args:
      name_or_path: a name of `SHIPPED`, or a YAML file.

    Returns:
      The description; `root` is absolute, or empty where the file does not say it.

    Raises:
      ConfigError: there is no such description, or a key or value in it is wrong; unknown keys come with the nearest one.
    """
    where = str(name_or_path)
    if where in SHIPPED:
        file = importlib.resources.files("attent_tf.datasets").joinpath(f"{where}.yaml")
        return description_from_text(file.read_text(encoding="utf-8"), where)
    if not where.lower().endswith((".yaml", ".yml")):
        near = difflib.get_close_matches(where, SHIPPED, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(f"data set {where!r}: expected one of {', '.join(SHIPPED)}, or a .yaml file{hint}")
    content = read_yaml(where, "the description of a data set")
    return _description(content, where, os.path.dirname(os.path.abspath(where)))


def description_from_text(text: str, where: str, folder: str = "") -> DatasetDescription:
    """Reads a description from YAML text.

    Args:
      text: YAML with the attributes of `DatasetDescription` as its keys.
      where: what messages call it.
      folder: what a relative `root` is relative to.

    Raises:
      ConfigError: names `where`, the key and what was expected.
    """
    return _description(parse_yaml(text, where), where, folder)


def _description(content, where, folder):
    if not isinstance(content, dict):
        raise ConfigError(
            f"{where}: expected keys such as name, images and modality; received {type(content).__name__}"
        )
    values = checked_values(content, where)
    missing = [key for key in ("name", "images", "modality") if key not in values]
    if missing:
        raise ConfigError(f"{where}: expected the keys name, images and modality; {missing[0]} is missing")
    if values.get("root") and "://" not in values["root"]:
        values["root"] = os.path.normpath(os.path.join(folder, values["root"]))
    try:
        return DatasetDescription(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def checked_values(content: dict[str, Any], where: str, keys: Collection[str] | None = None) -> dict[str, Any]:
    """Reads keys of a description as the attributes of `DatasetDescription`.

    Args:
      content: what YAML says.
      where: what messages call it.
      keys: those that are allowed; None for all.

    Raises:
      ConfigError: names `where`, the key and what was expected; an unknown key comes with the nearest one.
    """
    known = _READERS if keys is None else keys
    values = {}
    for key, value in content.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key {key!r}; {hint}")
        try:
            values[key] = _READERS[key](value)
        except ConfigError as error:
            raise ConfigError(f"{where}: {key}: {error}") from error
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ConfigError(f"expected text; received {value!r}")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ConfigError(f"expected small letters, digits, - and _; received {value!r}")
    return value


def _pattern(value: Any) -> str:
    pattern = _text(value)
    held = _PLACEHOLDER.findall(pattern)
    if "case" not in held or not set(held) <= {"case", "patient"}:
        raise ConfigError(f"expected a path with {{case}} and, if wanted, {{patient}}; received {value!r}")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", pattern)) or re.search(r"\}\{", pattern):
        raise ConfigError(f"expected placeholders that are closed and apart; received {value!r}")
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise ConfigError(f"expected a path below the data set's folder; received {value!r}")
    return pattern


def _regular_expression(value: Any) -> str:
    try:
        re.compile(_text(value))
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigError(f"expected a regular expression ({error}); received {value!r}") from error
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"expected a list; received {value!r}")
    # YAML reads a bare 0009 as a number and loses its zeros.
    if not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"expected a list of texts, with quotation marks around numbers; received {value!r}")
    return tuple(value)


def _by_name(read: Callable[[Any], Any]) -> Callable[[Any], tuple]:
    def read_all(value: Any) -> tuple:
        if not isinstance(value, dict) or not value:
            raise ConfigError(f"expected names and their values; received {value!r}")
        return tuple((str(name), read(entry)) for name, entry in value.items())

    return read_all


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise ConfigError(f"expected a whole number from 0; received {value!r}")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"expected true or false; received {value!r}")
    return value


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(map(_whole, value)) if isinstance(value, list) else (_whole(value),)


def _bin(value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise ConfigError(f"expected two grey values, above and last; received {value!r}")
    return (_whole(value[0]), _whole(value[1]))


def _intensity(value: Any) -> IntensityRule:
    if not isinstance(value, dict):
        raise ConfigError(f"expected the keys kind, low and high; received {value!r}")
    known = tuple(field.name for field in dataclasses.fields(IntensityRule))
    if not value.keys() <= set(known) or not {"kind", "low", "high"} <= value.keys():
        raise ConfigError(f"expected kind, low and high out of the keys {', '.join(known)}; received {value!r}")
    for key, entry in value.items():
        number = isinstance(entry, (int, float)) and not isinstance(entry, bool) and abs(entry) < 1e30
        if (not number) if key in ("low", "high") else (not isinstance(entry, str)):
            raise ConfigError(
                f"expected {'a number' if key in ('low', 'high') else 'a word'} in {key}; received {entry!r}"
            )
    return IntensityRule(**value | {"low": float(value["low"]), "high": float(value["high"])})


_READERS: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "title": _text,
    "modality": _text,
    "root": _text,
    "folders": _texts,
    "images": _pattern,
    "volumes": _pattern,
    "labels": _pattern,
    "masks": _by_name(_pattern),
    "cases": _regular_expression,
    "exclude": _texts,
    "patients": _name,
    "slice_order": _text,
    "pair_by": _text,
    "label_values": _by_name(_numbers),
    "last_label": _whole,
    "label_bins": _by_name(_bin),
    "numbered_by_task": _truth,
    "intensity": _intensity,
}
