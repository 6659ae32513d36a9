"""Which runs a benchmark is made of, and which of them may share a translator."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from attent_tf.methods import Stage, get_method
from attent_tf.tasks import Task


@dataclasses.dataclass(frozen=True)
class BenchmarkRun:
    """One method in one direction with one seed.

    Attributes:
      seed: the seed of the training; data and split are the same for all.
      direction: a direction of the task, such as `mri2ct`.
      method: its name.
      donor: folder, in the benchmark folder, of the run whose translation stage it takes over; None trains its own.
    """

    seed: int
    direction: str
    method: str
    donor: Path | None = None

    # Of a run folder, where its scores lie.
    evaluation = "evaluation"

    @property
    def folder(self) -> Path:
        """The run folder, in the benchmark folder."""
        return Path("runs", self.direction, self.method, f"seed-{self.seed}")

    @property
    def title(self) -> str:
        """What it is called to people."""
        return f"{self.method}, {self.direction}, seed {self.seed}"


def plan_runs(
    task: Task, methods: Sequence[str], directions: Sequence[str], seeds: Sequence[int]
) -> list[BenchmarkRun]:
    """Lists the runs of a benchmark, seed by seed, so that an unfinished one compares all methods on fewer seeds.

    Methods that begin with the same stage share its training, and so do the two directions where it serves both (see
    `attent_tf.runs.reuse`).

    Args:
      task: the task of the records.
      methods: names, without repetition.
      directions: the directions of the task.
      seeds: the seeds of the training.

    Raises:
      ConfigError: a name is unknown.
    """
    for direction in directions:
        task.source_and_target(direction)
    plan = []
    for seed in seeds:
        first_with: dict[Stage, Path] = {}
        for direction in directions:
            for method in methods:
                run = BenchmarkRun(seed, direction, method)
                if stage := get_method(method).shareable_stage:
                    donor = first_with.setdefault(stage, run.folder)
                    run = dataclasses.replace(run, donor=None if donor == run.folder else donor)
                plan.append(run)
    return plan
