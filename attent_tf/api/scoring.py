"""`check` and `evaluate`: what `attent check` and `attent evaluate` do."""

import os
from collections.abc import Mapping
from typing import Literal

from attent_tf.choices import OrientationPolicy
from attent_tf.errors import ConfigError
from attent_tf.evaluation.folder import Evaluation
from attent_tf.files import write_json
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, find_protocol
from attent_tf.postprocessing import NO_POSTPROCESSING
from attent_tf.progress import Progress, observer_of
from attent_tf.runs import Run, load_run
from attent_tf.runtime import start_quietly
from attent_tf.signs import DEFAULT_CASES, Signs
from attent_tf.tasks import DEFAULT_TASK, Task, load_task

Path = str | os.PathLike[str]

_OF_LABEL_FILES = ("predictions", "references")
_OF_A_RUN = ("run", "records")


def check(
    run: Run | Path,
    records: Path,
    split: Literal["train", "test"] = "train",
    cases: int = DEFAULT_CASES,
    out: Path | None = None,
    calibration: Path | None = None,
    progress: Progress = None,
) -> Signs:
    """Says how good a run is without labels of its target.

    Args:
      run: a trained run, or its folder.
      records: a records folder with target cases of that split, prepared like the run's training records.
      split: `train` or `test`.
      cases: largest number of cases to look at, chosen evenly from all.
      out: a JSON file for the signs, or None.
      calibration: file from `benchmarks/calibrate_signs.py`, used to estimate Dice from the signs.
      progress: see `attent_tf.progress.Progress`.

    Returns:
      The signs; `verdict` is that of all together, `worst` the worst of one.

    Raises:
      AttentError: no such run or records, no such cases, or records of another geometry.
    """
    loaded = _run(run)
    start_quietly()
    from attent_tf.inference.check import check as check_run

    signs = check_run(loaded, records, observer_of(progress, "slices"), split, cases, calibration)
    if out is not None:
        write_json(out, {"run": loaded.describe(), "split": split, **signs.to_json()})
    return signs


def evaluate(
    run: Run | Path | None = None,
    records: Path | None = None,
    *,
    out: Path,
    predictions: Path | None = None,
    references: Path | None = None,
    labels: Path | None = None,
    task: Task | Path | None = None,
    images: Path | None = None,
    name: str = "",
    protocol: str = DEFAULT_PROTOCOL,
    scans: Path | None = None,
    dataset: Path | None = None,
    postprocess: bool | None = None,
    overwrite: bool = False,
    calibration: Path | None = None,
    orientation_policy: OrientationPolicy = "strict",
    progress: Progress = None,
) -> Evaluation:
    """Scores a run on its test cases, or label files of any tool, and writes the report.

    Args:
      run: a trained run, or its folder.
      records: with `run`: a records folder with the test cases.
      out: the evaluation folder to make.
      predictions: instead of `run`: folder of NIfTI label maps of any tool.
      references: with `predictions`: folder of label maps to score against.
      labels: with `predictions`: YAML file that says how label files are named and what their numbers mean.
      task: with `predictions`: the task whose structures they show, by name or as a YAML file.
      images: with `predictions`: folder of the scans, for the report.
      name: with `predictions`: name of the method; that of the folder if empty.
      protocol: what is scored, see `attent_tf.metrics.PROTOCOLS`.
      scans: with the protocol `native_3d`: the data folder that the target's records were made from.
      dataset: the data set's layout on disk, by name or as a YAML file; if None, that with which the records were made.
      postprocess: whether predictions are postprocessed before they are scored; if None, as the run says, and not for label
        files.
      overwrite: whether an existing evaluation is replaced.
      calibration: with `run`: file used to estimate Dice from the signs.
      orientation_policy: with `predictions`: `strict` or `trust_affine`, for NIfTI files that do not say how they lie.
      progress: see `attent_tf.progress.Progress`.

    Returns:
      The evaluation; its `failures` are files that could not be scored as they stand.

    Raises:
      AttentError: arguments cannot be used together, folders or the cases needed are missing, or records have another
      geometry.
    """
    given = {
        "run": run,
        "records": records,
        "predictions": predictions,
        "references": references,
        "labels": labels,
        "task": task,
        "images": images,
        "name": name,
        "scans": scans,
        "dataset": dataset,
        "calibration": calibration,
        "orientation_policy": orientation_policy,
    }
    if problem := problem_of_evaluate(given, protocol):
        raise ConfigError(f"evaluate: {problem}")
    observer = observer_of(progress)
    if predictions is not None and references is not None:
        from attent_tf.scoring import load_label_map, score_folders

        described = task if isinstance(task, Task) else load_task(os.fspath(task or DEFAULT_TASK))
        label_map = load_label_map(labels, described)
        done = NO_POSTPROCESSING.asked(postprocess)
        settings = (label_map, name, protocol, images, overwrite, orientation_policy, done)
        return score_folders(predictions, references, out, observer, *settings)
    assert run is not None
    assert records is not None
    loaded = _run(run)
    start_quietly()
    from attent_tf.inference.evaluate import evaluate as evaluate_run
    from attent_tf.inference.original_scans import OriginalScans

    originals = None if scans is None else OriginalScans(os.fspath(scans), os.fspath(dataset) if dataset else None)
    done = loaded.postprocessing.asked(postprocess)
    return evaluate_run(loaded, records, out, observer, protocol, overwrite, done, originals, calibration)


def problem_of_evaluate(given: Mapping[str, object], protocol: str) -> str | None:
    """Returns one sentence about arguments of `evaluate` that are missing or cannot be used together, or None.

    Args:
      given: the arguments that belong to one of its two forms, by their names.
      protocol: what is scored.
    """
    from_files = any(given[name] for name in _OF_LABEL_FILES)
    needed = _OF_LABEL_FILES if from_files else _OF_A_RUN
    for name in needed:
        if not given[name]:
            return f"Missing option '--{name}'; give --run and --records, or --predictions and --references."
    odd = ("run", "records", "scans", "dataset", "calibration") if from_files else ("task", "labels", "images", "name")
    for name in odd:
        if given[name]:
            return f"--{name} cannot be used with --{needed[0]}."
    if from_files:
        return None
    if given["orientation_policy"] != "strict":
        return "--orientation-policy cannot be used with --run."
    if find_protocol(protocol).grid == "scan":
        needs = f"--protocol {protocol} needs --scans, the folder of the original scans."
        return needs if given["scans"] is None else None
    return "--scans and --dataset go with --protocol native_3d." if given["scans"] or given["dataset"] else None


def _run(run: Run | Path) -> Run:
    return run if isinstance(run, Run) else load_run(run)
