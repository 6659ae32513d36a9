"""How the files of predictions and references are called, and what the numbers in them mean.

Each side is described by the part of a data set's description (`attent_tf.datasets`) that speaks of labels, so that who has
described a data set can name that description here.
"""

import dataclasses
import os
from typing import Any

from attent_tf.datasets.description import DatasetDescription
from attent_tf.datasets.load import load_description
from attent_tf.datasets.written import LabelValues, Masks, Number, Pattern, RegularExpression
from attent_tf.errors import ConfigError, did_you_mean
from attent_tf.plain_values import StrictReader
from attent_tf.scoring.label_names import names_as_numbers, read_names
from attent_tf.tasks import IntensityRule, Task
from attent_tf.yaml_text import read_yaml

SIDES = ("predictions", "references")

_DEFAULT_PATTERN = "{case}.nii.gz"
_READER = StrictReader(by_hand=True)


@dataclasses.dataclass(frozen=True)
class _Files:
    """What may be said of the files of a side, in the words of `DatasetDescription`."""

    labels: Pattern = ""
    masks: Masks = ()
    label_values: LabelValues = ()
    last_label: Number | None = None
    cases: RegularExpression = ""
    exclude: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Images:
    """What may be said of the images that a report shows label maps on."""

    images: Pattern = _DEFAULT_PATTERN
    intensity: IntensityRule | None = None


_IMAGE_KEYS = tuple(field.name for field in dataclasses.fields(_Images))
_SIDE_KEYS = (*(field.name for field in dataclasses.fields(_Files)), "label_names")


@dataclasses.dataclass(frozen=True)
class LabelSide:
    """One side: where its label maps lie and what they hold.

    Attributes:
      name: `predictions` or `references`.
      task: whose structures they show.
      description: its `labels` or `masks`, `label_values`, `last_label`, `cases`, `exclude` and `folders` count here.
      known: the numbers that label maps may hold besides 0; None if `last_label` limits them, or in masks.
    """

    name: str
    task: Task
    description: DatasetDescription
    known: frozenset[int] | None

    @property
    def patterns(self) -> tuple[tuple[str | None, str], ...]:
        """(structure, pattern) of each file of a case; the structure is None for a label map with all of them."""
        return self.description.masks or ((None, self.description.labels),)

    @property
    def structures(self) -> tuple[str, ...]:
        """Structures of the task that this side knows, in the task's order."""
        return tuple(name for name in self.task.structure_names if name in self.description.structures)


@dataclasses.dataclass(frozen=True)
class LabelMap:
    """Both sides, and the images that a report shows them on.

    Attributes:
      task: whose structures are named.
      predictions, references: each a `LabelSide`.
      images: pattern of the images.
      intensity: which raw values of images are black and white; None to take them from the voxels.
    """

    task: Task
    predictions: LabelSide
    references: LabelSide
    images: str = _DEFAULT_PATTERN
    intensity: IntensityRule | None = None

    @property
    def structures(self) -> tuple[str, ...]:
        """Structures that both sides know: those that can be compared."""
        return tuple(name for name in self.predictions.structures if name in self.references.structures)


def load_label_map(path: str | os.PathLike | None, task: Task) -> LabelMap:
    """Reads a label map.

    Args:
      path: a YAML file; None for `{case}.nii.gz` on both sides with the numbers of the task's classes.
      task: whose structures the files show.

    Raises:
      ConfigError: the file is missing, or a key or value in it is wrong; unknown keys come with the nearest one.
    """
    if path is None:
        return label_map_from({}, task, "labels")
    content = read_yaml(path, "a label map")
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected keys such as predictions and references, found {type(content).__name__}")
    return label_map_from(content, task, str(path), os.path.dirname(os.path.abspath(path)))


def label_map_from(content: dict[str, Any], task: Task, where: str, folder: str = "") -> LabelMap:
    """Makes a label map of what YAML says.

    Args:
      content: keys of a side, which hold for both, and `predictions` and `references` with keys, or the name of a description,
        of their own; `images` and `intensity`.
      task: whose structures the files show.
      where: what messages call it.
      folder: what the files of `label_names` are relative to.

    Raises:
      ConfigError: names `where`, the key and what was expected.
    """
    known = (*SIDES, *_SIDE_KEYS, *_IMAGE_KEYS)
    for key in content:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {key!r}{did_you_mean(key, known)}")
    shared = {key: value for key, value in content.items() if key not in SIDES and key not in _IMAGE_KEYS}
    shown = _READER.read(_Images, {key: content[key] for key in _IMAGE_KEYS if key in content}, where)
    sides = {name: _side(name, task, shared, content.get(name), where, folder) for name in SIDES}
    label_map = LabelMap(task, **sides, **vars(shown))
    if not label_map.structures:
        names = " and ".join(", ".join(side.structures) or "none" for side in sides.values())
        raise ConfigError(f"{where}: expected a structure of the task {task.name} that both sides name, found {names}")
    return label_map


def _side(name: str, task: Task, shared: dict[str, Any], own: Any, where: str, folder: str) -> LabelSide:
    if isinstance(own, str):
        return _described(name, task, own, where, folder)
    if own is not None and not isinstance(own, dict):
        raise ConfigError(f"{where}: {name}: expected keys, or the name of a description, found {own!r}")
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
            ours = {structure: index for index, structure in enumerate(task.structure_names, start=1)}
            given = {structure: structure for structure in ours if structure in named} if named else ours
        content["label_values"] = names_as_numbers(given, named, f"{place}: label_values")
    files = _READER.read(_Files, content, place)
    try:
        pattern = files.labels or files.masks[0][1]
        description = DatasetDescription(name=name, images=pattern, modality="any", **vars(files))
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error
    _check_nifti(description, place)
    for structure in description.structures:
        if structure not in task.structure_names:
            near = did_you_mean(structure, task.structure_names)
            raise ConfigError(f"{place}: {structure!r} is no structure of the task {task.name}{near}")
    known = None
    if not description.masks and description.last_label is None:
        numbers = {number for _, meant in description.label_values for number in meant}
        known = frozenset(numbers.union(*named.values()) - {0})
    return LabelSide(name, task, description, known)


def _described(name: str, task: Task, given: str, where: str, folder: str) -> LabelSide:
    """A side whose data set has a description already."""
    is_file = given.lower().endswith((".yaml", ".yml"))
    description = load_description(os.path.join(folder, given) if is_file else given)
    description = description.joined(task.structure_names)
    if not description.labels and not description.masks:
        raise ConfigError(f"{where}: {name}: expected a description with labels or masks; {given} has none")
    _check_nifti(description, f"{where}: {name}: {given}")
    known = frozenset(number for _, meant in description.label_values for number in meant)
    limited = description.masks or description.last_label is not None
    return LabelSide(name, task, description, None if limited else known)


def _check_nifti(description: DatasetDescription, place: str) -> None:
    for pattern in (description.labels, *(pattern for _, pattern in description.masks)):
        if pattern and not pattern.lower().endswith((".nii", ".nii.gz")):
            raise ConfigError(f"{place}: expected label maps that end in .nii or .nii.gz, found {pattern!r}")
