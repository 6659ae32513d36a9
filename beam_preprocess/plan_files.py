"""The plan of a job on its way to the workers: files in the folder that all share, so that a job's description stays small.

As elements of `beam.Create`, a hundred thousand cases take the main program minutes and gigabytes: each is encoded by itself,
with the task and the description of its data set.
"""

import itertools
import pickle
from collections.abc import Iterable, Iterator

import apache_beam as beam

from attent_tf.shared_folders import SharedFolder
from beam_preprocess.plan import PlannedCase

_CASES_A_FILE = 500


def spread_cases(
    pipeline: beam.Pipeline, planned: Iterable[PlannedCase], work: SharedFolder, name: str = "plan"
) -> beam.PCollection:
    """Writes a plan into the folder and returns its cases as a collection that is spread over all workers.

    Args:
      pipeline: what to add to.
      planned: the cases.
      work: where the plan lies; every worker sees it under this path.
      name: with which its files begin.
    """
    return (
        pipeline
        | "Plan" >> beam.Create(list(write_plan(work, planned, name)))
        | "Cases" >> beam.ParDo(ReadPlan(work)).with_output_types(PlannedCase)
        | "Spread" >> beam.Reshuffle()
    )


def write_plan(work: SharedFolder, planned: Iterable[PlannedCase], name: str) -> Iterator[str]:
    """Writes cases into files, some hundred into each, and yields the names of these."""
    left = iter(planned)
    for place in itertools.count():
        cases = list(itertools.islice(left, _CASES_A_FILE))
        if not cases:
            return
        file_name = f"{name}-{place:05d}.pickle"
        with work.created(file_name) as file:
            # As Beam does it with elements: whoever writes here is the job itself.
            pickle.dump(cases, file, pickle.HIGHEST_PROTOCOL)
        yield file_name


class ReadPlan(beam.DoFn):
    """Yields the cases of a file of the plan."""

    def __init__(self, work: SharedFolder):
        self._work = work

    def process(self, name: str) -> Iterator[PlannedCase]:
        with self._work.opened(name) as file:
            yield from pickle.loads(file.read())
