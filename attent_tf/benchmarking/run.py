"""Trains and scores the runs of a benchmark, each as far as it is not yet done."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from attent_tf.benchmarking.plan import BenchmarkRun
from attent_tf.configs import Config
from attent_tf.data.manifest import read_manifest
from attent_tf.errors import RunError
from attent_tf.evaluation.folder import Evaluation, read_evaluation
from attent_tf.inference.evaluate import evaluate
from attent_tf.methods import get_method
from attent_tf.progress import Observer
from attent_tf.runs import load_run
from attent_tf.training.train import train


def run_benchmark(
    records: str | os.PathLike,
    out: str | os.PathLike,
    plan: Sequence[BenchmarkRun],
    config: Config,
    observer: Observer,
) -> dict[str, dict[str, dict[int, Evaluation]]]:
    """Trains and evaluates every run of a plan, or goes on where an earlier call stopped.

    Nothing is chosen by scores: every run is trained to its last step and evaluated once.

    Args:
      records: a records folder with test cases of both domains.
      out: the benchmark folder.
      plan: from `plan_runs`.
      config: of all runs; its seed is replaced by each run's.
      observer: shows progress.

    Returns:
      direction -> method -> seed -> evaluation.

    Raises:
      AttentError: errors of training and evaluation; runs that are there were made from other records or settings.
    """
    out, fingerprint = Path(out), read_manifest(records).fingerprint
    evaluations: dict[str, dict[str, dict[int, Evaluation]]] = {}
    for number, item in enumerate(plan, start=1):
        observer.say(f"[{number}/{len(plan)}] {item.method}, {item.direction}, seed {item.seed}")
        seeded = dataclasses.replace(config, seed=item.seed)
        evaluation = _finished(out, item, seeded, fingerprint) or _train_and_evaluate(
            records, out, item, seeded, observer
        )
        evaluations.setdefault(item.direction, {}).setdefault(item.method, {})[item.seed] = evaluation
    return evaluations


def _finished(out, item, config, fingerprint) -> Evaluation | None:
    folder = out / item.folder
    if not (folder / item.evaluation / "metrics.json").is_file():
        return None
    run = load_run(folder)
    if run.config != config or run.records != fingerprint:
        raise RunError(f"{folder}: made from other records or another configuration; choose another --out")
    return read_evaluation(folder / item.evaluation)


def _train_and_evaluate(records, out, item, config, observer) -> Evaluation:
    folder = out / item.folder
    donor = None
    if item.donor and not (folder / get_method(item.method).stages[0].id).exists():
        donor = out / item.donor
    run = train(records, folder, item.method, item.direction, config, observer, translation_from=donor)
    # Runs of a benchmark are compared in one table and one report; they need none of their own.
    return evaluate(run, records, folder / item.evaluation, observer, overwrite=True)
