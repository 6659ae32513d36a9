"""One run of a benchmark: what it came to, or its training and evaluation."""

import os
from pathlib import Path

from attent_tf.benchmarking.plan import BenchmarkRun
from attent_tf.configs import Config
from attent_tf.errors import RunError
from attent_tf.evaluation.folder import Evaluation, read_evaluation
from attent_tf.inference.evaluate import evaluate
from attent_tf.methods import get_method
from attent_tf.progress import Observer
from attent_tf.runs import load_run
from attent_tf.training.train import train


def finished(out: Path, item: BenchmarkRun, config: Config, fingerprint: str) -> Evaluation | None:
    """Returns the evaluation of a run, or None where it has none yet.

    Args:
      out: the benchmark folder.
      item: which run.
      config: the configuration of the run, with its seed.
      fingerprint: the fingerprint of the records.

    Raises:
      RunError: the run was made from other records or settings.
    """
    folder = out / item.folder
    if not (folder / item.evaluation / "metrics.json").is_file():
        return None
    run = load_run(folder)
    if run.config != config or run.records != fingerprint:
        raise RunError(f"{folder}: made from other records or another configuration; choose another --out")
    return read_evaluation(folder / item.evaluation)


def train_and_evaluate(
    records: str | os.PathLike, out: Path, item: BenchmarkRun, config: Config, observer: Observer
) -> Evaluation:
    """Trains a run to its last step, from where it is, and scores it once.

    Args:
      records: a records folder.
      out: the benchmark folder; the donor of the run has trained its translation there.
      item: which run.
      config: the configuration of the run, with its seed.
      observer: shows progress.

    Raises:
      AttentError: errors of training and evaluation.
    """
    folder = out / item.folder
    donor = None
    if item.donor and not (folder / get_method(item.method).stages[0].id).exists():
        donor = out / item.donor
    run = train(records, folder, item.method, item.direction, config, observer, translation_from=donor)
    # Runs of a benchmark are compared in one table and one report; they need none of their own.
    return evaluate(run, records, folder / item.evaluation, observer, overwrite=True)
