"""Descriptions of data sets from YAML: those that ship with the library and the user's own."""

import dataclasses
import importlib.resources
import os
from typing import Any

from attent_tf.datasets.description import DatasetDescription
from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.plain_values import StrictReader
from attent_tf.yaml_text import parse_yaml, read_yaml

SHIPPED = (
    *("chaos", "chaos-t1-in", "chaos-t1-out", "malbcv", "nifti", "dicom"),
    *("amos-ct", "amos-mri", "crossmoda-t1", "crossmoda-t2", "mmwhs-ct", "mmwhs-mri"),
    *("sifa-ct", "sifa-mri", "totalsegmentator-ct", "totalsegmentator-mri"),
)

_READER = StrictReader(by_hand=True)


def load_description(name_or_path: str | os.PathLike[str]) -> DatasetDescription:
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
        hint = did_you_mean(where, SHIPPED)
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


def _description(content: Any, where: str, folder: str) -> DatasetDescription:
    description = _READER.read(DatasetDescription, content, where)
    if description.root and "://" not in description.root:
        return dataclasses.replace(description, root=os.path.normpath(os.path.join(folder, description.root)))
    return description
