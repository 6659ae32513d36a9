"""Scoring a run on the test cases of its target domain."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from attent_tf.data.manifest import ManifestCase, read_manifest
from attent_tf.data.reader import read_case_records
from attent_tf.errors import RecordsError
from attent_tf.inference.batches import run_slices
from attent_tf.inference.chain import Chain, load_chain
from attent_tf.metrics.case_result import CaseResult
from attent_tf.metrics.evaluation import Evaluation, write_evaluation
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL
from attent_tf.reporting.report import write_report
from attent_tf.reporting.sources import EvaluationForReport
from attent_tf.runs import Run
from attent_tf.runs.networks import trained_steps
from attent_tf.runs.translation_check import read_warning
from attent_tf.training.loop import Observer
from attent_tf.volumes import middle_channel

_SELECTION = "The weights after the last training step; nothing was chosen by scores of test cases or by target labels."


def evaluate(
    run: Run,
    records: str | os.PathLike,
    out: str | os.PathLike,
    observer: Observer,
    protocol: str = DEFAULT_PROTOCOL,
    overwrite: bool = False,
) -> Evaluation:
    """Segments and scores every test case of the target domain and writes scores, pictures and the report.

    Args:
      run: a trained run.
      records: a records folder with test cases of the target domain, prepared like the run's training records.
      out: the evaluation folder to make.
      observer: shows progress.
      protocol: see `attent_tf.metrics.protocols`.
      overwrite: whether an evaluation folder that is there may be replaced.

    Returns:
      The evaluation, as `attent_tf.metrics.evaluation.read_evaluation` reads it.

    Raises:
      AttentError: no such run or records, none of the cases needed, or records of another geometry.
    """
    manifest = read_manifest(records)
    _check_preparation(run, records, manifest.options.get("preparation") or {})
    cases = manifest.select(run.target, "test")
    if not cases:
        raise RecordsError(f"{records}: no test cases of {run.target}; preprocess with another --split")
    chain = load_chain(run)
    header = {
        "method": run.method.id,
        "direction": run.direction,
        "protocol": protocol,
        "seed": run.config.seed,
        "config": run.config.name,
        "records": manifest.fingerprint,
        "selection": _SELECTION,
        "warnings": list(_warnings(run, manifest.fingerprint, cases)),
    }
    with observer.stage(f"Evaluate {run.method.id} on {run.target}", sum(case.slices for case in cases), 0) as bar:
        results = (_case_result(run, chain, records, manifest, case, bar) for case in cases)
        evaluation = write_evaluation(out, header, results, overwrite)
    write_report(
        Path(out) / "report" / "index.html",
        [EvaluationForReport(Path(out), run.folder)],
        f"{run.method.title}, {run.direction}",
    )
    return evaluation


def _check_preparation(run: Run, records, found: dict) -> None:
    """Refuses records whose target scans the networks would see otherwise than those that they learned from."""
    for key, expected in run.preparation.items():
        # Source scans are not looked at here.
        if key != f"{run.source}_intensity" and found.get(key) != expected:
            raise RecordsError(
                f"{records}: prepared with {key} {found.get(key)!r}, the run was trained with {expected!r}; "
                "preprocess alike"
            )


def _case_result(run, chain: Chain, records, manifest, case: ManifestCase, bar) -> CaseResult:
    slices = read_case_records(records, manifest, case.case)
    stacked = np.stack([record.channels for record in slices])
    images = np.ascontiguousarray(middle_channel(stacked))
    translated, entropy = np.empty_like(images), np.empty_like(images)
    prediction = np.empty(images.shape, np.uint8)
    for part, output in run_slices(chain, stacked):
        translated[part], entropy[part] = middle_channel(output.translated), output.entropy[..., 0]
        prediction[part] = output.labels
        bar.update(len(output.labels))
    return CaseResult(
        case=case.case,
        image=images,
        entropy=entropy,
        prediction=prediction,
        spacing_mm=case.geometry.record_spacing_mm,
        translated=translated if run.method.translator else None,
        reference=np.stack([record.label for record in slices]) if case.labelled else None,
    )


def _warnings(run: Run, fingerprint: str, cases) -> Iterator[str]:
    for stage in ("translation", "segmentation"):
        done, planned = trained_steps(run, stage)
        if done < planned:
            yield f"The {stage} stage was stopped at step {done} of {planned}."
    if warning := read_warning(run.folder):
        yield warning
    if any(case.split == "all" for case in cases):
        yield "Split none: these cases were also trained on, so the scores are no test results."
    if fingerprint != run.records:
        yield "These records are not the ones that the run was trained on; check that no test case was trained on."
    if not all(case.labelled for case in cases):
        yield "Cases without labels are shown and not scored."
