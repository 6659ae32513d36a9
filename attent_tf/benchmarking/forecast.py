"""What of a benchmark is there already, what is still to be trained, and how long that will take. No TensorFlow."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attent_tf.benchmarking.plan import BenchmarkRun
from attent_tf.counting import counted
from attent_tf.methods import Method, Stage, get_method
from attent_tf.runs import stage_description


@dataclasses.dataclass(frozen=True)
class Forecast:
    """One run of a benchmark's plan: what of it is done, and what it will take.

    Attributes:
      run: which.
      done: whether it is trained and scored.
      stages: ids of the stages that are still to be trained, or to be trained on.
      shared: ids of the stages that it takes over from another run.
      seconds: the seconds that its training will take, by what the same stages took in other runs of the benchmark; None
        where a stage has not been trained yet.
    """

    run: BenchmarkRun
    done: bool
    stages: tuple[str, ...]
    shared: tuple[str, ...]
    seconds: float | None


def forecast(out: Path, plan: Sequence[BenchmarkRun]) -> list[Forecast]:
    """Looks at a benchmark folder; nothing is changed.

    Args:
      out: the benchmark folder, which need not exist.
      plan: from `plan_runs`.
    """
    taken = _seconds_taken(out, plan)
    return [_forecast(out, item, get_method(item.method), taken) for item in plan]


def _forecast(out: Path, item: BenchmarkRun, method: Method, taken: dict[Stage, list[float]]) -> Forecast:
    folder = out / item.folder
    if (folder / item.evaluation / "metrics.json").is_file():
        return Forecast(item, True, (), (), 0.0)
    shared = [method.shareable_stage] if item.donor and method.shareable_stage else []
    left = [stage for stage in method.stages if stage not in shared and not stage_is_over(folder, method, stage)]
    known = all(stage in taken for stage in left)
    seconds = float(sum(np.mean(taken[stage]) for stage in left)) if known else None
    return Forecast(item, False, tuple(stage.id for stage in left), tuple(stage.id for stage in shared), seconds)


def stage_is_over(folder: Path, method: Method, stage: Stage) -> bool:
    """Whether a stage of a run folder was trained to its end: it says how long it took, or the next one has begun."""
    later = method.stages[method.stages.index(stage) + 1 :]
    return stage_description(folder, stage.id).seconds is not None or any(
        (folder / later_stage.id).is_dir() for later_stage in later
    )


def _seconds_taken(out: Path, plan: Sequence[BenchmarkRun]) -> dict[Stage, list[float]]:
    taken: dict[Stage, list[float]] = {}
    for item in plan:
        method = get_method(item.method)
        for stage in method.stages:
            copied = item.donor is not None and stage == method.shareable_stage
            seconds = stage_description(out / item.folder, stage.id).seconds
            if seconds is not None and not copied:
                taken.setdefault(stage, []).append(seconds)
    return taken


def forecast_lines(forecasts: Sequence[Forecast]) -> list[str]:
    """Returns a forecast for people: a line for each run, and the sum."""
    lines = []
    for run_forecast in forecasts:
        name = run_forecast.run.title
        if run_forecast.done:
            lines.append(f"{name}: there already")
            continue
        work = (
            ", ".join([*(f"{stage} taken over" for stage in run_forecast.shared), *run_forecast.stages]) or "evaluation"
        )
        lines.append(f"{name}: {work}; {_duration(run_forecast.seconds)}")
    left = [run_forecast for run_forecast in forecasts if not run_forecast.done]
    known = [run_forecast.seconds for run_forecast in left if run_forecast.seconds is not None]
    open_runs = len(left) - len(known)
    unknown = counted(open_runs, "run whose time is not known yet", "runs whose time is not known yet")
    times = [_duration(sum(known))] if known else []
    rest = ", and ".join([*times, *([unknown] if open_runs else [])]) or "nothing to train"
    return [*lines, f"{len(left)} of {counted(len(forecasts), 'run')} to do; {rest}"]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "time not known yet"
    minutes = round(seconds / 60)
    return f"about {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"about {max(minutes, 1)} min"
