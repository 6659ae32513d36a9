"""What a report is made from: evaluation folders and, where they are available, the run folders behind them."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import yaml

from attent_tf.errors import InputError
from attent_tf.evaluation.folder import Evaluation, read_evaluation
from attent_tf.methods import METHODS
from attent_tf.reporting.history import Curve, read_history


@dataclasses.dataclass(frozen=True)
class EvaluationForReport:
    """Where one evaluation of a report lies.

    Attributes:
      folder: an evaluation folder.
      run_folder: the run that was evaluated, for its loss curves, configuration and versions; None leaves them out.
    """

    folder: Path
    run_folder: Path | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """One evaluation and what is known about the run behind it.

    Attributes:
      evaluation: the scores and pictures.
      histories: title of a stage to its curves, in the order of the stages; stages without history are absent.
      config_text: the configuration as YAML, or an empty text.
      run: the content of `run.json`, or an empty dict.
    """

    evaluation: Evaluation
    histories: dict[str, list[Curve]]
    config_text: str
    run: dict[str, Any]

    def known(self, key: str) -> Any:
        """Returns what the evaluation, or else the run, says about `key`; None if neither does."""
        return self.evaluation.header.get(key, self.run.get(key))


def read_source(place: EvaluationForReport) -> Source:
    """Reads an evaluation and what there is of its run.

    Raises:
      InputError: the evaluation cannot be read, or a file of the run is there but damaged.
    """
    evaluation = read_evaluation(place.folder)
    if place.run_folder is None:
        return Source(evaluation, {}, "", {})
    run_folder = Path(place.run_folder)
    histories = {}
    run = _read_run(run_folder / "run.json")
    method = METHODS.get(run.get("method", evaluation.header["method"]))
    for stage in method.stages if method else ():
        path = run_folder / stage.id / "history.csv"
        curves = read_history(path) if path.is_file() else []
        if curves:
            histories[stage.title] = curves
    config = run_folder / "config.yaml"
    if config.is_file():
        config_text = config.read_text("utf-8")
    else:
        config_text = yaml.safe_dump(run["configuration"], sort_keys=False) if "configuration" in run else ""
    return Source(evaluation, histories, config_text, run)


def _read_run(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        run = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: expected JSON, found something else; the run may be damaged") from error
    if not isinstance(run, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(run).__name__}; the run may be damaged")
    return run
