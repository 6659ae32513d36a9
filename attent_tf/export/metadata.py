"""`metadata.json` of an exported model: its input contract, and what it was made from. No TensorFlow."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from attent_tf.deployment.contract import METADATA_FORMAT
from attent_tf.deployment.signature import Signature, TensorSpec
from attent_tf.runs import Run
from attent_tf.tasks import Domain, rule_text, task_to_mapping
from attent_tf.versions import package_versions
from attent_tf.volumes import PrepareOptions

_WHERE = "by the client, on the label map of the whole scan: the signatures act on slices"


class InputEntry(TypedDict):
    """What slices have to be; `pixel_mm` only where they are so many millimetres wide, `slice_mm` where slices are resampled."""

    modality: str
    orientation: str
    size: int
    channels: int
    channel_order: str
    geometry: str
    pixel_mm: float | None
    slice_mm: float | None
    value_range: list[float]
    intensity: str
    outside_the_scan: float


class TensorEntry(TypedDict):
    """An input or output of a signature; −1 stands for any size."""

    dtype: str
    shape: list[int]


class SignatureEntry(TypedDict):
    """What a signature takes and gives, by name."""

    inputs: dict[str, TensorEntry]
    outputs: dict[str, TensorEntry]


class TrainingEntry(TypedDict):
    """What the weights come from; steps by stage."""

    config: str
    seed: int
    precision: str
    steps: dict[str, int]
    planned_steps: dict[str, int]
    records: str
    weights_sha256: str


class ChangesMeasured(TypedDict):
    """What optimisation changed on a sample of slices, and the medians of the seconds for all of them."""

    slices: int
    largest_change_of_a_probability: float
    share_of_pixels_with_another_label: float
    seconds_plain: float
    seconds_optimized: float
    speedup: float


class OptimizationEntry(ChangesMeasured):
    """How a model was made for use alone: the type of its weights, and what was measured on which sample."""

    weights: str
    sample: str


class OnnxEntry(TypedDict):
    """Of a model in ONNX: the largest difference of its probabilities from those that it was compared with."""

    opset: int
    largest_difference: float
    compared_with: str


class Metadata(TypedDict):
    """What `metadata.json` says; `version` is None, and `signatures` empty, of what is no version of a model."""

    format: int
    version: int | None
    method: str
    direction: str
    translates: bool
    task: dict[str, Any]
    classes: list[str]
    input: InputEntry
    signatures: dict[str, SignatureEntry]
    preparation: dict[str, Any]
    postprocessing: dict[str, bool | str]
    training: TrainingEntry
    optimization: OptimizationEntry | None
    versions: dict[str, str]
    intended_use: str
    onnx: NotRequired[OnnxEntry]


def make_metadata(
    run: Run,
    version: int | None,
    signatures: Mapping[str, Signature],
    weights_sha256: str,
    steps: Mapping[str, tuple[int, int]],
    optimization: OptimizationEntry | None,
) -> Metadata:
    """Collects what a user of the model has to know.

    Args:
      run: the run that it was exported from.
      version: its number; None for what has none.
      signatures: what each takes and gives.
      weights_sha256: the SHA-256 of the exported networks' weights.
      steps: by stage, the updates behind the weights and how many there were to be.
      optimization: what was done and measured; None for the chain as trained.
    """
    options = run.prepare_options
    return {
        "format": METADATA_FORMAT,
        "version": version,
        "method": run.method.id,
        "direction": run.direction,
        "translates": run.method.translates,
        "task": task_to_mapping(run.task),
        "classes": list(run.task.class_names),
        "input": _input(run.task.domain(run.target), options),
        "signatures": {name: _signature(signature) for name, signature in signatures.items()},
        "preparation": options.to_json(),
        "postprocessing": {**run.postprocessing.to_json(), "where": _WHERE},
        "training": {
            "config": run.config.name,
            "seed": run.config.seed,
            "precision": run.config.precision,
            "steps": {stage: done for stage, (done, _) in steps.items()},
            "planned_steps": {stage: planned for stage, (_, planned) in steps.items()},
            "records": run.records,
            "weights_sha256": weights_sha256,
        },
        "optimization": optimization,
        "versions": {key: value for key, value in package_versions().items() if value},
        "intended_use": "research; not a medical device",
    }


def _input(target: Domain, options: PrepareOptions) -> InputEntry:
    physical = options.geometry == "physical"
    return {
        "modality": target.name,
        "orientation": "SPL: slices inferior to superior, rows anterior to posterior, columns patient right to left",
        "size": options.size,
        "channels": options.channels,
        "channel_order": "the slice, with its neighbours from below to above around it",
        "geometry": options.geometry,
        "pixel_mm": options.pixel_mm if physical else None,
        "slice_mm": options.slice_mm,
        "value_range": [-1.0, 1.0],
        "intensity": rule_text(options.intensity_rule(target)),
        "outside_the_scan": -1.0,
    }


def _signature(signature: Signature) -> SignatureEntry:
    return {"inputs": _tensors(signature.inputs), "outputs": _tensors(signature.outputs)}


def _tensors(specs: Mapping[str, TensorSpec]) -> dict[str, TensorEntry]:
    return {name: {"dtype": spec.dtype, "shape": list(spec.shape or ())} for name, spec in specs.items()}
