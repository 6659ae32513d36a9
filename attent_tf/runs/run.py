"""A run folder: one method, one direction, one configuration; trained stage by stage, and resumed."""

import dataclasses
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from attent_tf.configs import Config, config_from_dict, config_to_dict, config_to_yaml
from attent_tf.configs.first_weights import PACKAGE_SUFFIX
from attent_tf.errors import ConfigError, InputError, RunError
from attent_tf.files import write_json, write_text
from attent_tf.methods import Method, get_method
from attent_tf.plain_values import StrictReader
from attent_tf.postprocessing import Postprocessing
from attent_tf.runs.package import CONTENT_FILE, Package, read_package
from attent_tf.tasks import Task, task_from_mapping, task_to_mapping
from attent_tf.versions import package_versions
from attent_tf.volumes import PrepareOptions

RUN_FILE = "run.json"
_FORMAT = 4
_DAMAGED = "the file was damaged or edited"


class RunDescription(TypedDict):
    """What a report says of a run: where it lies, what it is, and by which configuration."""

    folder: str
    method: str
    direction: str
    task: str
    target: str
    config: str
    seed: int
    records: str


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run folder, or a package made from one, holds.

    Attributes:
      folder: its path; for a package, the path of the file.
      method: the method that is trained.
      direction: a direction of the task, such as `mri2ct`.
      config: all other settings.
      records: fingerprint of the records that it was trained on.
      prepare_options: how its records were prepared, and how scans must be for it.
      task: the task of those records.
      package: the package that it was read from; None for a run folder.
    """

    folder: Path
    method: Method
    direction: str
    config: Config
    records: str
    prepare_options: PrepareOptions
    task: Task
    package: Package | None = None

    @property
    def source(self) -> str:
        return self.task.source_and_target(self.direction)[0]

    @property
    def target(self) -> str:
        return self.task.source_and_target(self.direction)[1]

    @property
    def labelled(self) -> str:
        """The domain whose labels S learns from."""
        return self.source if self.method.labelled == "source" else self.target

    @property
    def postprocessing(self) -> Postprocessing:
        """Postprocessing of its label maps, unless another is asked for."""
        return self.config.postprocessing

    def describe(self) -> RunDescription:
        """Returns what a report says of it, as JSON."""
        return {
            "folder": str(self.folder),
            "method": self.method.id,
            "direction": self.direction,
            "task": self.task.name,
            "target": self.target,
            "config": self.config.name,
            "seed": self.config.seed,
            "records": self.records,
        }

    def stage_folder(self, stage: str) -> Path:
        """Returns the folder of a stage, by its id."""
        return self.folder / stage


@dataclasses.dataclass(frozen=True)
class _Written:
    """What of `run.json` makes a `Run`; there is more in it for people."""

    method: Method
    direction: str
    config: Config
    records: str
    preparation: PrepareOptions
    task: Task


_READER = StrictReader(
    {
        Method: lambda content: get_method(str(content)),
        Config: lambda content: config_from_dict(content, ""),
        PrepareOptions: lambda content: PrepareOptions.from_json(content, ""),
        Task: task_from_mapping,
    },
    other_keys=True,
)


def create_or_check(run: Run, devices: Sequence[str]) -> None:
    """Writes `run.json` and `config.yaml`, or checks that existing ones say the same.

    Args:
      run: what is to be trained.
      devices: names of the devices that it begins on.

    Raises:
      RunError: the folder holds a run of another method, direction, configuration or records.
    """
    path = run.folder / RUN_FILE
    content = run_to_json(run)
    if path.exists():
        found = _read(path)
        for key in ("method", "direction", "records", "preparation", "task"):
            if found.get(key) != content[key]:
                raise RunError(
                    f"{run.folder}: holds a run with {key} {found.get(key)!r}, not {content[key]!r}; choose another --out"
                )
        # Keys that the folder does not name have their defaults.
        changed = list(_differences(config_to_dict(config_from_dict(found["config"])), content["config"]))
        if changed:
            raise RunError(
                f"{run.folder}: started with another configuration: {'; '.join(changed)}; choose another --out"
            )
        return
    if run.folder.exists() and any(run.folder.iterdir()):
        raise RunError(f"{run.folder}: expected a run folder or an empty one, found other files; choose another --out")
    write_text(run.folder / "config.yaml", config_to_yaml(run.config))
    write_json(path, {**content, "devices": list(devices), "versions": package_versions()})


def load_run(folder: str | os.PathLike[str]) -> Run:
    """Reads a run folder, or a package in its place.

    Raises:
      RunError: it is neither.
      InputError: the package is cut short, changed, or made with a later version.
    """
    folder = Path(folder)
    if folder.is_file() or (folder.suffix == PACKAGE_SUFFIX and not folder.is_dir()):
        return _packaged(folder)
    if not folder.is_dir():
        raise RunError(f"{folder}: no such run folder; make one with attent train")
    path = folder / RUN_FILE
    return _from_json(folder, path, _read(path))


def resolve_steps(steps: int, epochs: int, slices: int, batch_size: int) -> int:
    """Returns the number of updates: `steps`, or as many as `epochs` passes over `slices` need when `steps` is 0."""
    return steps or epochs * math.ceil(slices / batch_size)


def run_to_json(run: Run) -> dict[str, Any]:
    """Returns what `run.json` says of a run, but for what it was begun with."""
    return {
        "format": _FORMAT,
        "method": run.method.id,
        "direction": run.direction,
        "seed": run.config.seed,
        "config": config_to_dict(run.config),
        "records": run.records,
        "preparation": run.prepare_options.to_json(),
        "task": task_to_mapping(run.task),
    }


def _from_json(folder: Path, path: Path, content: Mapping[str, Any], package: Package | None = None) -> Run:
    written = _READER.read(_Written, content, str(path), RunError, _DAMAGED)
    return Run(
        folder,
        written.method,
        written.direction,
        written.config,
        written.records,
        written.preparation,
        written.task,
        package,
    )


def _packaged(path: Path) -> Run:
    package = read_package(path)
    _check_format(path, package.content)
    try:
        run = _from_json(path, path / CONTENT_FILE, package.content, package)
        # What a run checks when it is trained.
        run.task.source_and_target(run.direction)
        missing = {stage.id for stage in run.method.stages} - set(package.content["stages"])
    except ConfigError as error:
        advice = "install the version of attent-tf that attent info says, and the packages that it needs"
        raise InputError(path, "a model that this version knows", str(error), advice) from error
    if missing:
        raise RunError(f"{path}: lacks the stages {', '.join(sorted(missing))}; make the package again")
    return run


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path.parent}: not a run folder, {path.name} is missing; make one with attent train") from None
    except ValueError as error:
        raise RunError(f"{path}: not valid JSON ({error}); {_DAMAGED}") from error
    _check_format(path, content)
    return content


def _check_format(path: Path, content: Any) -> None:
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise RunError(f"{path}: expected a run of format {_FORMAT}; train again with this version")


def _differences(found: dict[str, Any], wanted: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key in sorted(found.keys() | wanted.keys()):
        old, new = found.get(key), wanted.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key} was {old!r}, is {new!r}"
