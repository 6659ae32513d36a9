"""Trains and scores the runs of a benchmark, each as far as it is not yet done."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from attent_tf.benchmarking.plan import BenchmarkRun
from attent_tf.benchmarking.processes import train_in_processes, usual_workers
from attent_tf.benchmarking.single import finished, train_and_evaluate
from attent_tf.configs import Config
from attent_tf.data.manifest import read_manifest
from attent_tf.evaluation.folder import Evaluation
from attent_tf.progress import Observer


def run_benchmark(
    records: str | os.PathLike,
    out: str | os.PathLike,
    plan: Sequence[BenchmarkRun],
    config: Config,
    observer: Observer,
    workers: int | None = 1,
) -> dict[str, dict[str, dict[int, Evaluation]]]:
    """Trains and evaluates every run of a plan, or goes on where an earlier call stopped.

    Nothing is chosen by scores: every run is trained to its last step and evaluated once.

    Args:
      records: a records folder with test cases of both domains.
      out: the benchmark folder.
      plan: from `plan_runs`.
      config: the configuration of all runs; its seed is replaced by each run's.
      observer: shows progress.
      workers: how many runs at once; 1 trains them here, one after the other, with all threads that TensorFlow has; more train
        each in a process of its own with one thread; None asks `usual_workers`.

    Returns:
      direction -> method -> seed -> evaluation.

    Raises:
      AttentError: errors of training and evaluation, or existing runs were made from other records or settings.
    """
    out, fingerprint = Path(out), read_manifest(records).fingerprint
    if workers is None:
        workers = usual_workers(config, len(plan))
    seeded = {item: dataclasses.replace(config, seed=item.seed) for item in plan}
    found = {item: finished(out, item, seeded[item], fingerprint) for item in plan}
    left = [item for item in plan if found[item] is None]
    if workers > 1 and left:
        train_in_processes(records, out, left, config, observer, workers)
        found |= {item: finished(out, item, seeded[item], fingerprint) for item in left}
    evaluations: dict[str, dict[str, dict[int, Evaluation]]] = {}
    for number, item in enumerate(plan, start=1):
        if workers == 1:
            observer.say(f"[{number}/{len(plan)}] {item.title}")
        evaluation = found[item] or train_and_evaluate(records, out, item, seeded[item], observer)
        evaluations.setdefault(item.direction, {}).setdefault(item.method, {})[item.seed] = evaluation
    return evaluations
