"""`metadata.json` of an exported model: what a client has to know to prepare scans for it."""

import dataclasses
import json
import os
from pathlib import Path

from attent_tf.deployment.model import ModelDescription
from attent_tf.errors import ConfigError, InputError
from attent_tf.methods import Method, get_method
from attent_tf.plain_values import StrictReader
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing
from attent_tf.tasks import Task, task_from_mapping
from attent_tf.volumes import PrepareOptions

METADATA_FILE = "metadata.json"
METADATA_FORMAT = 2


@dataclasses.dataclass(frozen=True)
class _Training:
    records: str
    weights_sha256: str


@dataclasses.dataclass(frozen=True)
class _Optimization:
    weights: str


@dataclasses.dataclass(frozen=True)
class _Written:
    """What of the file a client goes by; there is more in it for people."""

    method: Method
    direction: str
    training: _Training
    task: Task
    preparation: PrepareOptions
    classes: tuple[str, ...]
    optimization: _Optimization | None = None
    postprocessing: Postprocessing = NO_POSTPROCESSING


_READER = StrictReader(
    {
        Method: lambda content: get_method(str(content)),
        Task: task_from_mapping,
        PrepareOptions: lambda content: PrepareOptions.from_json(content, ""),
    },
    other_keys=True,
)


class ContractDescription(ModelDescription):
    """What a report says of an exported model."""

    metadata: str
    weights_sha256: str


@dataclasses.dataclass(frozen=True)
class ModelContract:
    """What an exported model expects and is; in a `Run`'s words, so that it can stand where a run does.

    Attributes:
      path: the path of the file.
      method: what was trained.
      direction: a direction of the task, such as `mri2ct`.
      records: fingerprint of the records that it was trained on.
      weights_sha256: the SHA-256 of its weights.
      task: whose classes its labels are.
      prepare_options: how scans are prepared: as its training records were.
      optimized: the type of its weights where it was made for use alone (`--optimize`); None for the chain as trained.
      postprocessing: what the client does to the label map of a whole scan.
    """

    path: Path
    method: Method
    direction: str
    records: str
    weights_sha256: str
    task: Task
    prepare_options: PrepareOptions
    optimized: str | None = None
    postprocessing: Postprocessing = NO_POSTPROCESSING

    @property
    def source(self) -> str:
        return self.task.source_and_target(self.direction)[0]

    @property
    def target(self) -> str:
        """The domain of the scans that it segments."""
        return self.task.source_and_target(self.direction)[1]

    def describe(self) -> ContractDescription:
        """Returns what a report says of it, as JSON."""
        return {
            "metadata": str(self.path),
            "method": self.method.id,
            "direction": self.direction,
            "task": self.task.name,
            "target": self.target,
            "records": self.records,
            "weights_sha256": self.weights_sha256,
        }


def read_contract(path: str | os.PathLike[str]) -> ModelContract:
    """Reads `metadata.json` of an exported model.

    Args:
      path: the file, or the version folder that holds it.

    Raises:
      InputError: it is missing, damaged, or its parts contradict each other.
    """
    path = Path(path)
    if path.is_dir():
        path = path / METADATA_FILE
    advice = "take the file that attent export wrote beside the model"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {advice}") from None
    except ValueError as error:
        raise InputError(f"{path}: expected JSON, found other content ({error}); {advice}") from error
    if not isinstance(content, dict) or content.get("format") != METADATA_FORMAT:
        raise InputError(f"{path}: expected metadata of format {METADATA_FORMAT}, found another; {advice}")
    written = _READER.read(_Written, content, str(path), InputError, advice)
    try:
        written.task.source_and_target(written.direction)
    except ConfigError as error:
        raise InputError(f"{path}: {error}; {advice}") from error
    if written.classes != written.task.class_names:
        expected, found = (", ".join(names) for names in (written.task.class_names, written.classes))
        raise InputError(f"{path}: expected the classes of its task, {expected}, found {found}; {advice}")
    return ModelContract(
        path=path,
        method=written.method,
        direction=written.direction,
        records=written.training.records,
        weights_sha256=written.training.weights_sha256,
        task=written.task,
        prepare_options=written.preparation,
        optimized=written.optimization.weights if written.optimization else None,
        postprocessing=written.postprocessing,
    )
