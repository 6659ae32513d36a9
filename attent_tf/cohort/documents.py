"""What the JSON files of a cohort's folder hold, and what of it travels between workers and the main program."""

from typing import Any, NotRequired, TypedDict

from attent_tf.inference.scan_report import IntensityFound, OrganFound


class ModelIdentity(TypedDict):
    """What decides about results: a model is another one where this differs."""

    method: str
    direction: str
    task: str
    target: str
    records: str
    weights_sha256: str
    optimized: str | None
    preparation: dict[str, Any]
    postprocessing: NotRequired[dict[str, bool]]


class InputState(TypedDict):
    """A scan as it was read; but for the digest, all that tells without reading it that it is still the same."""

    path: str
    files: int
    bytes: int
    mtime_ns: int
    series: NotRequired[str]
    sha256: NotRequired[str]


class StoredLabels(TypedDict):
    """A label map: the name of its file in the folder, size and digest."""

    file: str
    bytes: int
    sha256: str


class Sidecar(TypedDict):
    """`CASE.json`: what became of a scan that is done."""

    format: int
    case: str
    input: InputState
    model: ModelIdentity
    labels: StoredLabels
    shape: list[int]
    spacing_mm: list[float]
    intensity: IntensityFound
    warnings: list[str]
    mean_entropy: float
    organs: dict[str, OrganFound]
    postprocessing: dict[str, bool]
    device: str
    versions: dict[str, str | None]
    orientation_policy: str
    seconds: dict[str, float]


class SetAside(TypedDict):
    """A line of `failed.jsonl`: a scan that could not be used."""

    case: str
    path: str
    reason: str


class ScanDone(TypedDict):
    """What a worker tells of a scan that is done: volumes of its structures, and lines that the user has to hear."""

    case: str
    volumes_ml: dict[str, float]
    warnings: list[str]
