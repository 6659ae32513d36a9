"""`stage.json`: what a stage of a run that has begun says of itself. No TensorFlow."""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attent_tf.errors import RunError
from attent_tf.files import write_json
from attent_tf.plain_values import StrictReader
from attent_tf.runs.run import Run

_FILE = "stage.json"
_DAMAGED = "the file was damaged or edited"
_READER = StrictReader(other_keys=True)


@dataclasses.dataclass(frozen=True)
class StageDescription:
    """What a stage says of itself.

    Attributes:
      steps: the number of steps that it is to have; 0 before it has begun.
      devices: the devices that it runs on.
      seconds: the seconds that it took; None unless it was trained in one go.
      labels: by step, of a stage that labels its own slices: thresholds, shares and agreement of the volumes.
      refused: why what the stage did was taken back, or a part of it; empty if nothing was.
    """

    steps: int = 0
    devices: tuple[str, ...] = ()
    seconds: float | None = None
    labels: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    refused: str = ""


def stage_description(folder: str | os.PathLike[str], stage: str) -> StageDescription:
    """Returns what a stage says of itself; of one that has not begun, the defaults.

    Args:
      folder: the folder of the run.
      stage: its id.

    Raises:
      RunError: the file is damaged.
    """
    path = Path(folder) / stage / _FILE
    return _READER.read(StageDescription, _content(path), str(path), RunError, _DAMAGED)


def describe_stage(run: Run, stage: str, **facts: Any) -> None:
    """Adds facts, by the names of `StageDescription`, to what a stage says of itself."""
    path = run.stage_folder(stage) / _FILE
    write_json(path, {**_content(path), **facts})


def _content(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path}: not valid JSON ({error}); {_DAMAGED}") from error
    return content
