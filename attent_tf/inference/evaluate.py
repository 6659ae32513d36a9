"""Scoring a run on the test cases of its target domain."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attent_tf.data.manifest import Manifest, ManifestCase, read_manifest
from attent_tf.data.reader import read_case_records
from attent_tf.datasets import CaseFiles
from attent_tf.errors import ConfigError, RecordsError
from attent_tf.evaluation.case_result import CaseResult, LabelMaps
from attent_tf.evaluation.folder import Evaluation, write_evaluation
from attent_tf.evaluation.header import GivenHeader
from attent_tf.inference.batches import run_slices
from attent_tf.inference.chain import Chain, load_chain
from attent_tf.inference.original_scans import OriginalScans, find_originals, read_original
from attent_tf.inference.preparation import check_preparation
from attent_tf.inference.signs import SignTaker
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, find_protocol
from attent_tf.postprocessing import Postprocessing
from attent_tf.progress import Observer
from attent_tf.reporting.report import write_report
from attent_tf.reporting.sources import EvaluationForReport
from attent_tf.runs import Run
from attent_tf.runs.networks import trained_steps
from attent_tf.runs.warnings import run_warnings
from attent_tf.signs import find_calibration, with_estimate
from attent_tf.volumes import PATIENT, SLICE, middle_channel
from attent_tf.volumes.blocks_from_grid import probability_blocks_from_grid

_SELECTION = "The weights after the last training step; nothing was chosen by scores of test cases or by target labels."

_TRAINED_ON = "Split none: these cases were also trained on, so the scores are not test results."
_OTHER_RECORDS = "These records are not the ones that the run was trained on; check that no test case was trained on."
_UNLABELLED = "Cases without labels are shown and not scored."
_NO_SIZE = "The size of voxels is not known: distances count voxels, not millimetres, and 1 ml stands for 1000 voxels."
_NO_PATIENTS = (
    "Training slices of the target name no patient: whether they show patients of the test cases is not known."
)
CASELESS_WARNINGS = (_TRAINED_ON, _OTHER_RECORDS, _UNLABELLED, _NO_SIZE, _NO_PATIENTS)
"""Those of an evaluation's warnings that speak of no single case."""


def evaluate(
    run: Run,
    records: str | os.PathLike,
    out: str | os.PathLike,
    observer: Observer,
    protocol: str = DEFAULT_PROTOCOL,
    overwrite: bool = False,
    postprocessing: Postprocessing | None = None,
    scans: OriginalScans | None = None,
    calibration: str | os.PathLike | None = None,
) -> Evaluation:
    """Segments and scores every test case of the target domain and writes scores, pictures and the report.

    Args:
      run: a trained run.
      records: a records folder with test cases of the target domain, prepared like the run's training records.
      out: the evaluation folder to make.
      observer: shows progress.
      protocol: see `attent_tf.metrics.protocols`.
      overwrite: whether an evaluation folder that is there may be replaced.
      postprocessing: what is done to predictions before they are scored; the run's own if None.
      scans: the scans that the records were made from; needed by a protocol that scores on their grid, and only there.
      calibration: file by which Dice is estimated from the signs, see `attent_tf.signs.estimate`.

    Returns:
      The evaluation, as `attent_tf.evaluation.folder.read_evaluation` reads it.

    Raises:
      AttentError: no such run or records, none of the cases needed, records of another geometry, or other scans than those
        that the records were made from.
    """
    if (find_protocol(protocol).grid == "scan") != (scans is not None):
        raise ConfigError(
            f"protocol {protocol}: expected the original scans of {run.target} where scores are taken on their grid, and "
            f"only there, found {'none' if scans is None else scans.folder}; "
            f"{'give their folder' if scans is None else 'leave them out, or take native_3d'}"
        )
    manifest = read_manifest(records)
    check_preparation(run, records, manifest)
    cases = manifest.select(run.target, "test")
    if not cases:
        raise RecordsError(f"{records}: no test cases of {run.target}; preprocess with another --split")
    line = find_calibration(calibration)
    originals = None if scans is None else find_originals(scans, manifest.task, cases)
    chain = load_chain(run)
    taker = SignTaker(run, chain, records, manifest)
    # What comes up on the way still reaches the file: it is written when all cases have been read.
    signs: dict[str, Any] = {}
    warnings = list(_warnings(run, manifest, cases))
    header: GivenHeader = {
        "method": run.method.id,
        "direction": run.direction,
        "protocol": protocol,
        "seed": run.config.seed,
        "config": run.config.name,
        "records": manifest.fingerprint,
        "selection": _SELECTION,
        "warnings": warnings,
        "signs": signs,
    }

    def results(bar) -> Iterator[CaseResult]:
        for case in cases:
            yield _case_result(run, chain, records, manifest, case, bar, originals, warnings, taker)
        signs.update(with_estimate(taker.signs(), line).to_json())

    with observer.stage(f"Evaluate {run.method.id} on {run.target}", sum(case.slices for case in cases), 0) as bar:
        done = run.postprocessing if postprocessing is None else postprocessing
        evaluation = write_evaluation(out, run.task, header, results(bar), overwrite, postprocessing=done)
    write_report(
        Path(out) / "report" / "index.html",
        [EvaluationForReport(Path(out), run.folder)],
        f"{run.method.title}, {run.direction}",
    )
    return evaluation


def _case_result(
    run: Run,
    chain: Chain,
    records: str | os.PathLike,
    manifest: Manifest,
    case: ManifestCase,
    bar,
    originals: Mapping[str, CaseFiles] | None,
    warnings: list[str],
    taker: SignTaker,
) -> CaseResult:
    slices = read_case_records(records, manifest, case.case)
    stacked = np.stack([record.channels for record in slices])
    images = np.ascontiguousarray(middle_channel(stacked))
    translated, entropy = np.empty_like(images), np.empty_like(images)
    prediction = np.empty(images.shape, np.uint8)

    def probabilities() -> Iterator[np.ndarray]:
        """Runs the slices; what belongs to the grid of the records is kept on the way."""
        for part, output in run_slices(chain, stacked):
            translated[part], entropy[part] = middle_channel(output.translated), output.entropy[..., 0]
            prediction[part] = output.labels
            bar.update(len(output.labels))
            yield output.probabilities

    on_scan = None
    if originals is None:
        for _ in probabilities():
            pass
    else:
        policy = str(manifest.options.get("orientation_policy", "strict"))
        # Before the networks run, so that a wrong folder is reported at once.
        original = read_original(originals[case.case], case, policy)
        reference, spacing_mm, axes_mm = original.labels, original.spacing_mm, original.axes_mm
        warnings.extend(original.warnings)
        restored = np.zeros(original.shape, np.uint8)
        del original
        for part, labels in probability_blocks_from_grid(probabilities(), case.geometry.grid, restored.shape):
            restored[part] = labels
        on_scan = LabelMaps(restored, spacing_mm, reference, axes_mm)
    taker.add(case.case, stacked, prediction, entropy)
    return CaseResult(
        case=case.case,
        image=images,
        entropy=entropy,
        prediction=prediction,
        spacing_mm=case.geometry.record_spacing_mm,
        axes_mm=case.geometry.record_axes_mm,
        translated=translated if run.method.translates else None,
        reference=np.stack([record.label for record in slices]) if case.labelled else None,
        on_scan=on_scan,
    )


def _warnings(run: Run, manifest: Manifest, cases: Sequence[ManifestCase]) -> Iterator[str]:
    for stage in (stage.id for stage in run.method.stages):
        done, planned = trained_steps(run, stage)
        if done < planned:
            yield f"The {stage} stage was stopped at step {done} of {planned}."
    yield from run_warnings(run)
    if any(case.split == "all" for case in cases):
        yield _TRAINED_ON
    if manifest.fingerprint != run.records:
        yield _OTHER_RECORDS
    if not all(case.labelled for case in cases):
        yield _UNLABELLED
    if any(case.geometry.space != PATIENT for case in cases):
        yield _NO_SIZE
    if any(case.geometry.space == SLICE for case in manifest.select(run.target, "train")):
        yield _NO_PATIENTS
