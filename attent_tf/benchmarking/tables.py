"""From the evaluations of many runs to the tables of a benchmark; pure functions of scores."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from attent_tf.evaluation.folder import Evaluation
from attent_tf.metrics.significance import PairedTest, holm, paired_test
from attent_tf.metrics.summary import mean_of_defined
from attent_tf.reporting.published import PAIRS
from attent_tf.tasks import Task

# The columns of Tables I and II.
MEASURES = ("dice", "assd_voxel", "assd_mm")
AVERAGE = "average"


@dataclasses.dataclass(frozen=True)
class Spread:
    """One number of a table, over seeds.

    Attributes:
      mean: over seeds of a seed's mean over cases; infinite where a structure was missed entirely in a case.
      std: standard deviation over seeds, divided by n − 1; NaN for one seed or an infinite mean.
      n: number of seeds.
      n_infinite: seeds whose mean is infinite.
    """

    mean: float
    std: float
    n: int
    n_infinite: int


@dataclasses.dataclass(frozen=True)
class Row:
    """One method in one direction: `scores[measure][column]`, and the seeds that stopped below the lower bound.

    Attributes:
      method: its name.
      seeds: the seeds that were evaluated.
      scores: measure -> column (a structure, or `average`) -> `Spread`.
      dice_by_seed: seed -> average Dice in percent.
      warnings_by_seed: seed -> what its evaluation warns of, such as a translation that has likely failed; seeds without are
        left out.
      unprocessed: as `scores`, of the predictions as the networks left them; None if nothing was done to them.
    """

    method: str
    seeds: tuple[int, ...]
    scores: dict[str, dict[str, Spread]]
    dice_by_seed: dict[int, float]
    warnings_by_seed: dict[int, tuple[str, ...]]
    unprocessed: dict[str, dict[str, Spread]] | None = None


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One pair of Table II, tested over the test cases, each case's score averaged over seeds."""

    first: str
    second: str
    test: PairedTest
    corrected: float


@dataclasses.dataclass(frozen=True)
class Direction:
    """The tables of one direction.

    Attributes:
      rows: a `Row` for each method that has at least one evaluation.
      comparisons: the pairs of Table II that can be made, Holm-corrected together.
      inverted_seeds: seeds at which AttENT scores below `source_only`, the mark of an inverted translation.
    """

    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    inverted_seeds: tuple[int, ...]


def columns_of(task: Task) -> tuple[str, ...]:
    """Returns the columns of Table I: the structures of a task in their order, and `average`."""
    return (*task.structure_names, AVERAGE)


Evaluations = Mapping[str, Mapping[int, Evaluation]]


def benchmark_tables(evaluations: Evaluations) -> Direction:
    """Makes the tables of one direction.

    Args:
      evaluations: method -> seed -> its evaluation, all of the same records and protocol.
    """
    rows = tuple(_row(method, dict(by_seed)) for method, by_seed in evaluations.items() if by_seed)
    tested = [
        (first, second, _test(evaluations[first], evaluations[second]))
        for first, second in PAIRS
        if evaluations.get(first) and evaluations.get(second)
    ]
    corrected = holm([test.p_value for *_, test in tested])
    return Direction(
        rows,
        tuple(Comparison(*entry, p_value) for entry, p_value in zip(tested, corrected, strict=True)),
        _inverted(evaluations),
    )


def spread(values: Sequence[float]) -> Spread:
    """Returns mean and standard deviation (n − 1) of the values that are defined."""
    defined = [value for value in values if not math.isnan(value)]
    infinite = sum(math.isinf(value) for value in defined)
    std = float(np.std(defined, ddof=1)) if len(defined) > 1 and not infinite else math.nan
    return Spread(mean_of_defined(defined), std, len(defined), infinite)


def _row(method, by_seed):
    plain = [evaluation.unprocessed for evaluation in by_seed.values() if evaluation.unprocessed]
    dice = {seed: evaluation.average["dice"] for seed, evaluation in by_seed.items()}
    warnings = {
        seed: tuple(found) for seed, evaluation in by_seed.items() if (found := evaluation.header.get("warnings"))
    }
    unprocessed = _scores(plain) if len(plain) == len(by_seed) else None
    return Row(method, tuple(by_seed), _scores(list(by_seed.values())), dice, warnings, unprocessed)


def _scores(evaluations):
    names = evaluations[0].task.structure_names
    return {
        measure: {
            **{
                name: spread([evaluation.structures[name][measure]["mean"] for evaluation in evaluations])
                for name in names
            },
            AVERAGE: spread([evaluation.average[measure] for evaluation in evaluations]),
        }
        for measure in MEASURES
    }


def _test(first, second):
    """Pairs cases; only seeds that both methods have count, so that a pair differs in the method alone."""
    seeds = [seed for seed in first if seed in second]
    scores = [_dice_by_case([evaluations[seed] for seed in seeds]) for evaluations in (first, second)]
    cases = [case for case in scores[0] if case in scores[1]]
    return paired_test([scores[0][case] for case in cases], [scores[1][case] for case in cases])


def _dice_by_case(evaluations):
    """Case -> its Dice averaged over structures, then over evaluations; a case without any defined Dice is left out."""
    values: dict[str, list[float]] = {}
    for evaluation in evaluations:
        scored = evaluation.task.scored_names
        for case in evaluation.cases:
            values.setdefault(case.case, []).append(mean_of_defined([case.scores[name]["dice"] for name in scored]))
    means = {case: mean_of_defined(by_seed) for case, by_seed in values.items()}
    return {case: mean for case, mean in means.items() if not math.isnan(mean)}


def _inverted(evaluations):
    lower, adapted = evaluations.get("source_only", {}), evaluations.get("attent", {})
    return tuple(seed for seed in adapted if seed in lower and _average(adapted[seed]) < _average(lower[seed]))


def _average(evaluation):
    return evaluation.average["dice"]
