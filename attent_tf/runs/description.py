"""`stage.json`: what a stage of a run that has begun says of itself. No TensorFlow."""

import json
import os
from pathlib import Path
from typing import Any, TypedDict

from attent_tf.files import write_json
from attent_tf.runs.run import Run

_FILE = "stage.json"


class StageDescription(TypedDict, total=False):
    """What a stage says of itself; what is not known yet is not there.

    Attributes:
      steps: that it is to have.
      devices: that it runs on.
      seconds: that it took, if it was trained in one go.
      labels: by step, of a stage that labels its own slices: thresholds, shares and agreement of the volumes.
      refused: why what the stage did was taken back, or a part of it.
    """

    steps: int
    devices: list[str]
    seconds: float
    labels: dict[str, dict[str, Any]]
    refused: str


def stage_description(folder: str | os.PathLike[str], stage: str) -> StageDescription:
    """Returns what a stage says of itself: `steps` that it is to have, `devices`, and `seconds` that it took in one go.

    Args:
      folder: of the run.
      stage: its id.

    Returns:
      An empty dictionary where the stage has not begun.
    """
    path = Path(folder) / stage / _FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def describe_stage(run: Run, stage: str, **facts: Any) -> None:
    """Adds facts to what a stage says of itself."""
    write_json(run.stage_folder(stage) / _FILE, {**stage_description(run.folder, stage), **facts})
