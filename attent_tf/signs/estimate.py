"""An estimate of Dice from signs, as far as it was measured: a line fitted to runs that were scored as well.

dice = intercept + Σ weight · sign, cut to 0...100, with one or two signs. How far off it is, and how often it called a bad run
good, is measured on each run with a line fitted to the others. No calibration ships that was not measured on a benchmark's runs;
where there is none, nothing is estimated.
"""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from attent_tf.errors import InputError
from attent_tf.plain_values import Finite, StrictReader
from attent_tf.signs.sign import Estimate, Signs

# Signs that rise with quality, so that a line through them can mean something.
Input = Literal["paths", "cycle", "grey", "scale", "islands"]
INPUTS = get_args(Input)
MOST_INPUTS = 2
# Average Dice below which a run is bad, in percent.
BAD_BELOW = 60.0
_READER = StrictReader(complete=True)
_SHIPPED = Path(__file__).parent / "calibration.json"


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A line from signs to Dice, and how well it did.

    Attributes:
      inputs: ids of one or two signs, out of `INPUTS`.
      weights: the weight of each, in percent of Dice.
      intercept: in percent of Dice.
      mean_error: mean absolute error of runs that the line was not fitted to, in percent of Dice.
      runs: how many runs it was fitted to.
      bad_below: the Dice in percent below which a run is bad.
      bad_runs: how many of the runs were bad.
      bad_called_good: how many of them were estimated to be good by a line fitted to the other runs.
    """

    inputs: tuple[Input, ...]
    weights: tuple[Finite, ...]
    intercept: Finite
    mean_error: Finite
    runs: int
    bad_below: Finite
    bad_runs: int
    bad_called_good: int

    def estimate(self, signs: Signs) -> Estimate | None:
        """Returns the estimate of Dice; None if a sign that it needs was not taken."""
        values = [signs.value(name) for name in self.inputs]
        if any(value is None for value in values):
            return None
        dice = float(_cut(self.intercept + np.dot(values, self.weights)))
        return Estimate(dice, self.mean_error, self.runs, self.bad_below, self.bad_runs, self.bad_called_good)


def fit_calibration(
    inputs: Sequence[str], values: np.ndarray, dice: np.ndarray, bad_below: float = BAD_BELOW
) -> Calibration:
    """Fits a line by least squares and measures it, leaving out one run at a time.

    Args:
      inputs: ids of the signs.
      values: [runs, inputs] their numbers.
      dice: [runs] the average Dice in percent.
      bad_below: the Dice below which a run is bad.

    Raises:
      InputError: too few runs, or signs that a line cannot be fitted to.
    """
    unknown = [name for name in inputs if name not in INPUTS]
    if unknown or not 0 < len(inputs) <= MOST_INPUTS:
        raise InputError("inputs", f"one or two of {', '.join(INPUTS)}", ", ".join(inputs) or "none", "choose others")
    least = len(inputs) + 3
    if len(dice) < least:
        raise InputError("runs", f"at least {least} with scores and signs", str(len(dice)), "train and evaluate more")
    line = _fit(values, dice)
    left_out = predict_left_out(values, dice)
    bad = dice < bad_below
    return Calibration(
        tuple(inputs),
        tuple(line[1:].tolist()),
        float(line[0]),
        float(np.abs(left_out - dice).mean()),
        len(dice),
        float(bad_below),
        int(bad.sum()),
        int((left_out[bad] >= bad_below).sum()),
    )


def predict_left_out(values: np.ndarray, dice: np.ndarray) -> np.ndarray:
    """Returns [runs] the Dice of each run by a line fitted to all others; arguments as of `fit_calibration`."""
    found = []
    for place in range(len(dice)):
        others = np.arange(len(dice)) != place
        line = _fit(values[others], dice[others])
        found.append(_cut(line[0] + values[place] @ line[1:]))
    return np.array(found)


def calibration_to_json(calibration: Calibration) -> dict:
    """Returns what `read_calibration` reads."""
    return dataclasses.asdict(calibration)


def read_calibration(path: str | os.PathLike) -> Calibration:
    """Reads a calibration that `benchmarks/calibrate_signs.py` wrote.

    Raises:
      InputError: there is none, or it is something else.
    """
    advice = "make one with benchmarks/calibrate_signs.py"
    try:
        content = json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError as error:
        raise InputError(path, "a calibration", "no such file", advice) from error
    except (OSError, ValueError) as error:
        raise InputError(path, "a calibration", "something else", advice) from error
    calibration = _READER.read(Calibration, content, str(path), InputError, advice)
    if not 0 < len(calibration.inputs) == len(calibration.weights):
        found = f"{len(calibration.inputs)} and {len(calibration.weights)}"
        raise InputError(path, "as many weights as inputs", found, advice)
    return calibration


def find_calibration(path: str | os.PathLike | None) -> Calibration | None:
    """Reads a calibration: that of `path`, or where that is None the one that ships, or None where none does.

    Raises:
      InputError: the file is missing or no calibration.
    """
    if path is None and not _SHIPPED.is_file():
        return None
    return read_calibration(_SHIPPED if path is None else path)


def with_estimate(signs: Signs, calibration: Calibration | None) -> Signs:
    """Adds the estimate of Dice to signs, where there is a calibration and they have what it needs."""
    return signs if calibration is None else dataclasses.replace(signs, estimate=calibration.estimate(signs))


def _fit(values: np.ndarray, dice: np.ndarray) -> np.ndarray:
    """[1 + inputs] intercept and weights of the line of least squares."""
    return np.linalg.lstsq(np.column_stack([np.ones(len(dice)), values]), dice, rcond=None)[0]


def _cut(dice):
    return np.clip(dice, 0.0, 100.0)
