"""nnU-Net's raw layout, version 2: `dataset.json`, `imagesTr/CASE_0000.nii.gz`, `labelsTr/CASE.nii.gz`, `imagesTs`.

What a label's number means, its `dataset.json` says, so that the description of such a folder is made of the folder.
"""

import json
import os
import re
from collections.abc import Sequence
from typing import Any

from attent_tf.counting import counted
from attent_tf.datasets.description import DatasetDescription
from attent_tf.errors import InputError, did_you_mean
from attent_tf.storage import joined, open_binary
from attent_tf.tasks import BACKGROUND, Task

DATASET_FILE = "dataset.json"
TRAINING_IMAGES, TRAINING_LABELS, TEST_IMAGES = "imagesTr", "labelsTr", "imagesTs"
NAMES = ("nnunet", "nnunet-test")

# Of each name, the folders of its images and of its labels. nnU-Net itself has no use for labels of test cases.
_FOLDERS = dict(zip(NAMES, ((TRAINING_IMAGES, TRAINING_LABELS), (TEST_IMAGES, "labelsTs")), strict=True))
_IMAGE = re.compile(r"images(?:Tr|Ts)/.+_\d{4}\.[^/]+")
_ENDINGS = (".nii.gz", ".nii")
_IGNORE = "ignore"


def names_layout(dataset: str | os.PathLike[str] | None) -> bool:
    """Whether a data set is named `nnunet` or `nnunet-test`, with or without `:CHANNEL`."""
    return str(dataset).partition(":")[0] in NAMES


def has_layout(paths: Sequence[str]) -> bool:
    """Whether files, relative to their folder, lie as nnU-Net lays them out."""
    return DATASET_FILE in paths and any(map(_IMAGE.fullmatch, paths))


def image_name(case: str, channel: int = 0) -> str:
    """Returns the name of a case's image without its ending."""
    return f"{case}_{channel:04d}"


def describe_folder(
    root: str | os.PathLike[str], paths: Sequence[str], task: Task, domain: str, dataset: str = NAMES[0]
) -> DatasetDescription:
    """Makes the description of a folder in nnU-Net's raw layout by its `dataset.json`.

    Args:
      root: the folder.
      paths: its files, relative to it.
      task: whose structures are looked for among the labels, by their names: capitals do not matter, and what is no letter
        or digit counts as `_`.
      domain: the domain that its cases are of; begins the identifiers of cases, so that two such folders may hold the same
      names.
      dataset: `nnunet` for the training cases, `nnunet-test` for the test cases; `:CHANNEL` behind it names one of several.

    Returns:
      A description whose `label_values` are the task's structures. A region of several numbers is all of them.

    Raises:
      InputError: `dataset.json` is missing, or a key of it is missing, wrong, or says something that cannot be read.
    """
    part, _, wanted = dataset.partition(":")
    where = joined(root, DATASET_FILE)
    content = _content(where, root, paths)
    images, labels = _FOLDERS[part]
    if (ending := content["file_ending"]) not in _ENDINGS:
        raise _fault(where, "file_ending", " or ".join(_ENDINGS), f"{ending!r}", "convert the images to NIfTI")
    channels = _channels(where, content["channel_names"])
    channel = _chosen(where, channels, part, wanted)
    if part == NAMES[0]:
        _check_count(where, content["numTraining"], images, ending, paths)
    labelled = any(path.startswith(labels + "/") and path.endswith(ending) for path in paths)
    values, last = _label_values(where, content["labels"], task) if labelled else ((), None)
    return DatasetDescription(
        name=f"{part}-{domain.lower()}",
        title=f"nnU-Net's raw layout, {images}",
        # What else a channel's name says of the kind is anybody's guess.
        modality="ct" if channels[channel].lower() == "ct" else "any",
        images=f"{images}/{image_name('{case}', channel)}{ending}",
        labels=f"{labels}/{{case}}{ending}" if labelled else "",
        patients=NAMES[0],
        label_values=values,
        last_label=last,
        others=tuple(f"{images}/{image_name('{case}', index)}{ending}" for index in channels if index != channel),
    )


def _content(where: str, root: str | os.PathLike[str], paths: Sequence[str]) -> dict[str, Any]:
    if DATASET_FILE not in paths:
        raise InputError(root, f"{DATASET_FILE} of nnU-Net's raw layout", "none", "give the folder DatasetNNN_NAME")
    try:
        with open_binary(where) as file:
            content = json.loads(file.read().decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(where, "JSON", f"none ({error})", "unpack the data set again") from error
    kinds = {"channel_names": dict, "labels": dict, "numTraining": int, "file_ending": str}
    if not isinstance(content, dict) or "channel_names" not in content:
        older = isinstance(content, dict) and "modality" in content
        found = "modality, of nnU-Net's version 1 or the Medical Segmentation Decathlon" if older else "none"
        advice = "convert it with nnU-Net's own tools, name the data set's description, or describe it in a YAML file"
        raise _fault(where, "channel_names", "the channels by their numbers", found, advice)
    if "dataset" in content:
        advice = f"lay them out in {TRAINING_IMAGES} and {TRAINING_LABELS}, or describe the folder in a YAML file"
        raise _fault(where, "dataset", f"images in {TRAINING_IMAGES}", "a list of files", advice)
    for key, kind in kinds.items():
        value = content.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            words = {dict: "a mapping", int: "a whole number", str: "text"}[kind]
            raise _fault(where, key, words, "none" if value is None else repr(value), "see nnU-Net's dataset format")
    return content


def _channels(where: str, content: dict[str, Any]) -> dict[int, str]:
    """Number and name of each channel, in their order."""
    try:
        channels = {int(number): str(name) for number, name in content.items()}
    except ValueError:
        channels = {}
    if sorted(channels) != list(range(len(content))) or not channels:
        raise _fault(where, "channel_names", "names by the numbers 0, 1, …", repr(content), "correct the file")
    return dict(sorted(channels.items()))


def _chosen(where: str, channels: dict[int, str], part: str, wanted: str) -> int:
    told = ", ".join(f"{number} ({name})" for number, name in channels.items())
    if not wanted:
        if len(channels) > 1:
            advice = f"choose one by its number: --domain-dataset DOMAIN={part}:{next(iter(channels))}"
            raise _fault(where, "channel_names", "one channel", told, advice)
        return next(iter(channels))
    if wanted.isdecimal() and int(wanted) in channels:
        return int(wanted)
    raise _fault(where, "channel_names", f"a channel {wanted}", told, f"name one by its number, as {part}:0")


def _check_count(where: str, told: int, images: str, ending: str, paths: Sequence[str]) -> None:
    """Only the number of cases gives away a copy that stopped half-way."""
    name = re.compile(rf"{images}/(.+)_\d{{4}}{re.escape(ending)}")
    found = len({match[1] for match in map(name.fullmatch, paths) if match})
    if found != told:
        advice = f"copy the folder again, or correct numTraining; nnU-Net refuses it as well ({NAMES[1]} reads {TEST_IMAGES})"
        raise _fault(where, "numTraining", f"{counted(told, 'case')} in {images}", str(found), advice)


def _label_values(
    where: str, content: dict[str, Any], task: Task
) -> tuple[tuple[tuple[str, tuple[int, ...]], ...], int]:
    """The numbers of each structure of the task, and the largest number that label maps may hold."""
    advice = "see nnU-Net's dataset format"
    if type(content.get(BACKGROUND)) is not int or content[BACKGROUND] != 0:
        raise _fault(where, "labels", f"{BACKGROUND}: 0", repr(content.get(BACKGROUND, "none")), advice)
    by_name: dict[str, tuple[int, ...]] = {}
    for given, value in content.items():
        numbers = tuple(value) if isinstance(value, list) else (value,)
        if not numbers or any(type(number) is not int or not 0 <= number < 2**16 for number in numbers):
            raise _fault(where, f"labels: {given}", "a number, or a list of numbers", repr(value), advice)
        # Where nobody labelled anything, label maps hold this number, which is no background.
        if given == _IGNORE:
            continue
        name = re.sub(r"[^a-z0-9]+", "_", given.lower()).strip("_")
        if name in by_name and name in task.structure_names:
            raise _fault(where, f"labels: {given}", "each name once", f"another {name}", "correct the file")
        by_name[name] = numbers
    owner: dict[int, str] = {0: BACKGROUND}
    for name in task.structure_names:
        if name not in by_name:
            found, near = ", ".join(content), did_you_mean(name, by_name).removeprefix("; ")
            rest = (
                "give the structures in the task the same names, or describe the folder in a YAML file, without labels or "
                "with label_values"
            )
            raise _fault(where, "labels", f"{name} of the task {task.name}", found, f"{near} {rest}".strip())
        for number in by_name[name]:
            if (first := owner.setdefault(number, name)) != name:
                found, advice = f"{number} for {first} as well", "describe the folder in a YAML file with label_values"
                raise _fault(where, f"labels: {name}", "numbers of its own", found, advice)
    values = tuple((name, by_name[name]) for name in task.structure_names)
    return values, max(number for numbers in by_name.values() for number in numbers)


def _fault(where: str, key: str, expected: str, found: str, advice: str) -> InputError:
    return InputError(f"{where}: {key}", expected, found, advice)
