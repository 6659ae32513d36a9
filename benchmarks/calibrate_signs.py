"""How well signs without labels foretell Dice, measured on runs that were scored as well; writes the calibration of that line.

Run: python benchmarks/calibrate_signs.py BENCHMARK [...] [--inputs grey scale] [--bad-below 60] [--out calibration.json]
Looks below each folder for evaluations (`metrics.json`) that hold signs and scores; `attent evaluate` and `attent benchmark`
write both. Fits dice = a + Σ b · sign by least squares, and says of each run what a line fitted to all others makes of it, how
far off that is on average, how often a bad run was called good by it, and how often the signs of a bad run were not red. Seeds
and directions of one method are alike: give runs of several methods, good ones and bad ones, or the error says little of others.
"""

import argparse
import dataclasses
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attent_tf.errors import AttentError
from attent_tf.evaluation.folder import read_evaluation
from attent_tf.files import write_json
from attent_tf.signs import INPUTS, RED, Signs, fit_calibration
from attent_tf.signs.estimate import BAD_BELOW, calibration_to_json, predict_left_out

_DEFAULT_INPUTS = ("grey", "scale")


@dataclasses.dataclass(frozen=True)
class ScoredRun:
    """A run that has signs and scores: its folder, average Dice in percent, and signs."""

    name: str
    dice: float
    signs: Signs


def read_runs(folders: Sequence[Path]) -> tuple[list[ScoredRun], list[str]]:
    """Returns the runs below folders that have both, in the order of their paths, and the names of those that lack one."""
    runs, lacking = [], []
    for path in sorted(path for folder in folders for path in folder.rglob("metrics.json")):
        evaluation = read_evaluation(path.parent)
        dice, signs = evaluation.average["dice"], evaluation.header.get("signs")
        name = str(path.parent)
        if math.isnan(dice) or not signs:
            lacking.append(name)
        else:
            runs.append(ScoredRun(name, dice, Signs.from_json(signs)))
    return runs, lacking


def calibrate(runs: Sequence[ScoredRun], inputs: Sequence[str], bad_below: float):
    """Returns the calibration on the runs that have all inputs, and (run, Dice by a line that has not seen it) for each."""
    usable = [run for run in runs if all(run.signs.value(name) is not None for name in inputs)]
    values = np.array([[run.signs.value(name) for name in inputs] for run in usable]).reshape(len(usable), len(inputs))
    dice = np.array([run.dice for run in usable])
    found = fit_calibration(inputs, values, dice, bad_below)
    return found, list(zip(usable, predict_left_out(values, dice), strict=True))


def bad_not_red(runs: Sequence[ScoredRun], bad_below: float) -> tuple[int, int]:
    """Returns how many runs are bad and have signs that are not red together, and how many are bad."""
    bad = [run for run in runs if run.dice < bad_below]
    return sum(run.signs.verdict != RED for run in bad), len(bad)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="BENCHMARK")
    parser.add_argument("--inputs", nargs="+", default=_DEFAULT_INPUTS, choices=INPUTS)
    parser.add_argument("--bad-below", type=float, default=BAD_BELOW, metavar="DICE")
    parser.add_argument("--out", type=Path, metavar="JSON")
    given = parser.parse_args(words)
    try:
        runs, lacking = read_runs(given.folders)
        found, left_out = calibrate(runs, given.inputs, given.bad_below)
    except (AttentError, ValueError) as error:
        sys.exit(f"Error: {error}")
    print(f"| run | Dice | by the others' line | {' | '.join(given.inputs)} | signs |")
    print(f"| --- | ---: | ---: | {'---: | ' * len(given.inputs)}--- |")
    for run, estimate in left_out:
        signs = " | ".join(f"{run.signs.value(name):.2f}" for name in given.inputs)
        print(f"| {run.name} | {run.dice:.1f} | {estimate:.1f} | {signs} | {run.signs.verdict}: {run.signs.counted} |")
    line = " + ".join(f"{weight:.1f} · {name}" for weight, name in zip(found.weights, found.inputs, strict=True))
    print(f"\nDice = {found.intercept:.1f} + {line}, cut to 0...100, over {found.runs} runs")
    print(f"mean error of a run that the line has not seen: {found.mean_error:.1f} points")
    print(f"bad runs (below {found.bad_below:g}) estimated above: {found.bad_called_good} of {found.bad_runs}")
    unseen, bad = bad_not_red(runs, given.bad_below)
    print(f"bad runs whose signs are not red: {unseen} of {bad}")
    for name in lacking:
        print(f"without signs or scores, left out: {name}")
    if given.out:
        write_json(given.out, calibration_to_json(found))
        print(f"wrote {given.out}")


if __name__ == "__main__":
    main()
