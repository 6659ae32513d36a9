"""Which runs a benchmark is made of, and which of them may share a translator."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from attent_tf.methods import get_domains, get_method


@dataclasses.dataclass(frozen=True)
class BenchmarkRun:
    """One method in one direction with one seed.

    Attributes:
      seed: of the training; data and split are the same for all.
      direction: `mri2ct` or `ct2mri`.
      method: its name.
      donor: method whose translation stage is the same to the last bit and comes earlier in the plan; None trains its own.
    """

    seed: int
    direction: str
    method: str
    donor: str | None = None

    def folder(self, out: Path, method: str | None = None) -> Path:
        """Returns the run folder in the benchmark folder `out`, or the one of another method beside it."""
        return out / "runs" / self.direction / (method or self.method) / f"seed-{self.seed}"


def plan_runs(methods: Sequence[str], directions: Sequence[str], seeds: Sequence[int]) -> list[BenchmarkRun]:
    """Lists the runs of a benchmark, seed by seed, so that an unfinished one compares all methods on fewer seeds.

    Args:
      methods: names, without repetition.
      directions: names.
      seeds: of the training.

    Raises:
      ConfigError: a name is unknown.
    """
    for direction in directions:
        get_domains(direction)
    plan = []
    for seed in seeds:
        for direction in directions:
            first_with: dict[str, str] = {}
            for method in methods:
                translator = get_method(method).translator
                donor = first_with.setdefault(translator, method) if translator else None
                plan.append(BenchmarkRun(seed, direction, method, None if donor == method else donor))
    return plan
