"""How the files of predictions and references are called, and what the numbers in them mean.

Each side is described by the part of a data set's description (`attent_tf.datasets`) that speaks of labels, so that who has
described a data set can name that description here.
"""

import dataclasses
import os
from typing import Any

from attent_tf.datasets.description import DatasetDescription
from attent_tf.datasets.load import checked_values, load_description
from attent_tf.errors import ConfigError
from attent_tf.organs import ORGANS
from attent_tf.scoring.label_names import names_as_numbers, read_names
from attent_tf.tasks import IntensityRule
from attent_tf.yaml_text import read_yaml

SIDES = ("predictions", "references")

_DEFAULT_PATTERN = "{case}.nii.gz"
_OUR_VALUES = {organ: index for index, organ in enumerate(ORGANS, start=1)}
_SIDE_KEYS = ("labels", "masks", "label_values", "last_label", "label_names", "cases", "exclude")
_IMAGE_KEYS = ("images", "intensity")


@dataclasses.dataclass(frozen=True)
class LabelSide:
    """One side: where its label maps lie and what they hold.

    Attributes:
      name: `predictions` or `references`.
      description: its `labels` or `masks`, `label_values`, `last_label`, `cases`, `exclude` and `folders` count here.
      known: the numbers that label maps may hold besides 0; None where `last_label` limits them, or in masks.
    """

    name: str
    description: DatasetDescription
    known: frozenset[int] | None

    @property
    def patterns(self) -> tuple[tuple[str | None, str], ...]:
        """(organ, pattern) of each file of a case; the organ is None for a label map with all of them."""
        return self.description.masks or ((None, self.description.labels),)

    @property
    def organs(self) -> tuple[str, ...]:
        """Organs that this side knows, in the order of `ORGANS`."""
        named = {organ for organ, _ in self.description.masks or self.description.label_values}
        return tuple(organ for organ in ORGANS if organ in named)


@dataclasses.dataclass(frozen=True)
class LabelMap:
    """Both sides, and the images that a report shows them on.

    Attributes:
      predictions, references: each a `LabelSide`.
      images: pattern of the images.
      intensity: which raw values of images are black and white; None to take them from the voxels.
    """

    predictions: LabelSide
    references: LabelSide
    images: str = _DEFAULT_PATTERN
    intensity: IntensityRule | None = None

    @property
    def organs(self) -> tuple[str, ...]:
        """Organs that both sides know: those that can be compared."""
        return tuple(organ for organ in self.predictions.organs if organ in self.references.organs)


def load_label_map(path: str | os.PathLike | None) -> LabelMap:
    """Reads a label map.

    Args:
      path: a YAML file; None for `{case}.nii.gz` on both sides with the numbers of this library.

    Raises:
      ConfigError: the file is missing, or a key or value in it is wrong; unknown keys come with the nearest one.
    """
    if path is None:
        return label_map_from({}, "labels")
    content = read_yaml(path, "a label map")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys such as predictions and references; got {type(content).__name__}")
    return label_map_from(content, str(path), os.path.dirname(os.path.abspath(path)))


def label_map_from(content: dict[str, Any], where: str, folder: str = "") -> LabelMap:
    """Makes a label map of what YAML says.

    Args:
      content: keys of a side, which hold for both, and `predictions` and `references` with keys, or the name of a description,
        of their own; `images` and `intensity`.
      where: what messages call it.
      folder: what the files of `label_names` are relative to.

    Raises:
      ConfigError: names `where`, the key and what was expected.
    """
    shared = {key: value for key, value in content.items() if key not in SIDES and key not in _IMAGE_KEYS}
    pictures = checked_values(
        {key: value for key, value in content.items() if key in _IMAGE_KEYS}, where, (*_IMAGE_KEYS, *SIDES, *_SIDE_KEYS)
    )
    sides = {name: _side(name, shared, content.get(name), where, folder) for name in SIDES}
    label_map = LabelMap(**sides, **pictures)
    if not label_map.organs:
        names = " and ".join(", ".join(side.organs) for side in sides.values())
        raise ConfigError(f"{where}: expected an organ that both sides name; got {names}")
    return label_map


def _side(name: str, shared: dict[str, Any], own: Any, where: str, folder: str) -> LabelSide:
    if isinstance(own, str):
        return _described(name, own, where, folder)
    if own is not None and not isinstance(own, dict):
        raise ConfigError(f"{where}: {name}: expected keys, or the name of a description; got {own!r}")
    own = own or {}
    place = f"{where}: {name}" if own else where
    # What a side says of its files replaces what both say of theirs.
    kept = {k: v for k, v in shared.items() if not (k in ("labels", "masks") and own.keys() & {"labels", "masks"})}
    content = {**kept, **own}
    named = read_names(content.pop("label_names", None), f"{place}: label_names", folder)
    if "masks" in content:
        content.pop("label_values", None)
    else:
        content.setdefault("labels", _DEFAULT_PATTERN)
        given = content.get("label_values")
        if given is None:
            given = {organ: organ for organ in ORGANS if organ in named} if named else _OUR_VALUES
        content["label_values"] = names_as_numbers(given, named, f"{place}: label_values")
    values = checked_values(content, place, (*_SIDE_KEYS, *SIDES, *_IMAGE_KEYS))
    pattern = values.get("labels") or values["masks"][0][1]
    try:
        description = DatasetDescription(name=name, images=pattern, modality="any", **values)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
    _check_nifti(description, place)
    known = None
    if not description.masks and description.last_label is None:
        numbers = {number for _, meant in description.label_values for number in meant}
        known = frozenset(numbers.union(*named.values()) - {0})
    return LabelSide(name, description, known)


def _described(name: str, given: str, where: str, folder: str) -> LabelSide:
    """A side whose data set has a description already."""
    is_file = given.lower().endswith((".yaml", ".yml"))
    description = load_description(os.path.join(folder, given) if is_file else given).joined(ORGANS)
    if not description.labels and not description.masks:
        raise ConfigError(f"{where}: {name}: expected a description with labels or masks; {given} has none")
    _check_nifti(description, f"{where}: {name}: {given}")
    known = frozenset(number for _, meant in description.label_values for number in meant)
    return LabelSide(name, description, None if description.masks or description.last_label is not None else known)


def _check_nifti(description: DatasetDescription, place: str) -> None:
    for pattern in (description.labels, *(pattern for _, pattern in description.masks)):
        if pattern and not pattern.lower().endswith((".nii", ".nii.gz")):
            raise ConfigError(f"{place}: expected label maps that end in .nii or .nii.gz; got {pattern!r}")
