"""`benchmark`: what `attent benchmark` does."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from attent_tf.api.training import tell_unused
from attent_tf.benchmarking.plan import BenchmarkRun, plan_runs
from attent_tf.benchmarking.tables import Direction, benchmark_tables
from attent_tf.benchmarking.text import as_json, as_markdown
from attent_tf.configs import load_config
from attent_tf.data.manifest import read_manifest
from attent_tf.files import write_json, write_text
from attent_tf.methods import METHODS
from attent_tf.progress import Progress, observer_of
from attent_tf.runtime import start_quietly
from attent_tf.tasks import Task


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """The results of a benchmark.

    Attributes:
      tables: direction -> its rows, comparisons and findings.
      markdown: all of this as text.
    """

    tables: dict[str, Direction]
    markdown: str


def benchmark(
    records: str | os.PathLike[str],
    out: str | os.PathLike[str],
    methods: str | Sequence[str] = "all",
    directions: str = "both",
    seeds: int = 3,
    config: str | os.PathLike[str] = "recommended",
    set: Sequence[str] = (),
    progress: Progress = None,
    workers: int | None = 1,
) -> Benchmark:
    """Trains and scores methods over seeds, in the form of the paper's tables, or goes on where an earlier call stopped.

    Args:
      records: a records folder with test cases of both domains.
      out: the benchmark folder; `benchmark.md` and `benchmark.json` are written there, and each run in `runs`.
      methods: `all`, or ids of methods: a list, or text with commas.
      directions: one direction, such as `mri2ct`, or `both` for all directions of the records.
      seeds: number of seeds: 0, 1, … are used.
      config: name of a configuration that ships, or a file.
      set: keys to change, such as `["translation.steps=200"]`.
      progress: see `attent_tf.progress.Progress`.
      workers: number of runs in parallel. With 1 they are trained in this process with all its threads; with more, each is a
        process with one thread, which does not know methods registered in this process. None for what is faster here.

    Returns:
      The tables of each direction.

    Raises:
      AttentError: errors of training and evaluation, or existing runs were made from other records or settings.
    """
    loaded, out = load_config(os.fspath(config), set), Path(out)
    task, plan = benchmark_plan(records, methods, directions, seeds)
    observer = observer_of(progress)
    tell_unused(list(dict.fromkeys(training.method for training in plan)), config, set, observer.say)
    start_quietly()
    from attent_tf.benchmarking.run import run_benchmark

    evaluations = run_benchmark(records, out, plan, loaded, observer, workers)
    tables = {direction: benchmark_tables(scores) for direction, scores in evaluations.items()}
    changed = f" with {', '.join(set)}" if set else ""
    text = as_markdown(task, tables, f"{loaded.name}{changed}")
    write_json(out / "benchmark.json", as_json(task, tables, loaded))
    write_text(out / "benchmark.md", text)
    return Benchmark(tables, text)


def benchmark_plan(
    records: str | os.PathLike[str], methods: str | Sequence[str], directions: str, seeds: int
) -> tuple[Task, list[BenchmarkRun]]:
    """Returns the task of the records and the runs that `benchmark` makes; its arguments are those of the same names."""
    named = methods.split(",") if isinstance(methods, str) else methods
    chosen = list(METHODS) if methods == "all" else list(dict.fromkeys(name.strip() for name in named))
    task = read_manifest(records).task
    return task, plan_runs(task, chosen, task.directions if directions == "both" else [directions], range(seeds))
