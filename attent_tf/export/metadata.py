"""`metadata.json` of an exported model: its input contract, and what it was made from. No TensorFlow."""

from typing import Any

from attent_tf.deployment.contract import METADATA_FORMAT
from attent_tf.deployment.signature import Signature, TensorSpec
from attent_tf.runs import Run
from attent_tf.tasks import Domain, rule_text, task_to_mapping
from attent_tf.versions import package_versions
from attent_tf.volumes import PrepareOptions

_WHERE = "by the client, on the label map of the whole scan: the signatures act on slices"


def make_metadata(
    run: Run,
    version: int | None,
    signatures: dict[str, Signature],
    weights_sha256: str,
    steps: dict[str, tuple[int, int]],
    optimization: dict[str, Any] | None,
) -> dict[str, Any]:
    """Collects what a user of the model has to know.

    Args:
      run: that it was exported from.
      version: its number; None for what has none.
      signatures: what each takes and gives.
      weights_sha256: of the exported networks' weights.
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


def _input(target: Domain, options: PrepareOptions) -> dict[str, Any]:
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


def _signature(signature: Signature) -> dict[str, Any]:
    return {
        kind: {name: _tensor(spec) for name, spec in getattr(signature, kind).items()} for kind in ("inputs", "outputs")
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"dtype": spec.dtype, "shape": list(spec.shape)}
