"""The Beam transforms: thin wrappers around `slicing` and the TFRecord framing.

Between the steps travel only ranks and counts. The slices themselves go through files in the folder that all workers
share, so that no worker, and no runner's shuffle, ever holds more than one case in memory.
"""

import dataclasses
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import apache_beam as beam
from apache_beam.metrics import Metrics

from attent_tf.errors import RecordsError
from attent_tf.files import written_aside
from beam_preprocess import notes
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase

# Rank of a case in the manifest, and its number of records.
StagedCase = tuple[int, int]

_BLOCK_BYTES = 1 << 20


class StageCase(beam.DoFn):
    """Reads one case, writes its framed slices to a file of its own, and yields its shard and rank."""

    def __init__(self, options: PreprocessOptions, work_folder: str):
        self._options = options
        self._work_folder = work_folder
        self._cases = Metrics.counter("attent", "cases")
        self._slices = Metrics.counter("attent", "slices")

    def setup(self) -> None:
        from attent_tf.data import framing, schema
        from beam_preprocess import slicing

        self._framing, self._schema, self._slicing = framing, schema, slicing

    def process(self, planned: PlannedCase) -> Iterator[tuple[str, StagedCase]]:
        name = planned.files.case
        with notes.refusals_noted(self._work_folder, name):
            prepared, kept, entry = self._slicing.read_and_prepare(planned, self._options)
            with written_aside(staged_file(self._work_folder, planned.position)) as aside, aside.open("wb") as file:
                for record in self._slicing.slice_records(prepared, kept, entry):
                    file.write(self._framing.frame(self._schema.encode(record)))
            content = dataclasses.asdict(entry) | {"geometry": entry.geometry.to_json()}
            notes.leave(self._work_folder, notes.CASE, name, content | {"position": planned.position})
        self._cases.inc()
        self._slices.inc(entry.slices)
        yield planned.shard, (planned.position, entry.slices)


class WriteShard(beam.DoFn):
    """Joins the cases of one shard in the order of the manifest, whatever order they arrive in."""

    def __init__(self, folder: str, work_folder: str):
        self._folder = folder
        self._work_folder = work_folder

    def process(self, element: tuple[str, Iterable[StagedCase]]) -> None:
        shard, cases = element
        with notes.refusals_noted(self._work_folder, shard):
            ranked = sorted(cases)
            if len({position for position, _ in ranked}) < len(ranked):
                raise RecordsError(f"{shard}: a case arrived twice; run attent preprocess again")
            digest, size = hashlib.sha256(), 0
            with written_aside(Path(self._folder) / shard) as aside, aside.open("wb") as joined:
                for position, _ in ranked:
                    with staged_file(self._work_folder, position).open("rb") as staged:
                        while block := staged.read(_BLOCK_BYTES):
                            joined.write(block)
                            digest.update(block)
                            size += len(block)
            records = sum(slices for _, slices in ranked)
            content = {"file": shard, "records": records, "bytes": size, "sha256": digest.hexdigest()}
            notes.leave(self._work_folder, notes.SHARD, shard, content)


def staged_file(work_folder: str, position: int) -> Path:
    """Returns where the slices of the case with a rank wait for their shard."""
    return Path(work_folder) / f"staged-{position:06d}.tfrecord"


def build(
    pipeline: beam.Pipeline, planned: list[PlannedCase], options: PreprocessOptions, folder: str, work_folder: str
):
    """Adds the whole job to a pipeline: cases to slices, slices to shards.

    Args:
      pipeline: what to add to.
      planned: the cases, in any order.
      options: how to read and prepare a case.
      folder: where shards are written; every worker sees it under this path.
      work_folder: where workers leave notes and staged cases, likewise.
    """
    return (
        pipeline
        | "Cases" >> beam.Create(planned)
        | "Spread" >> beam.Reshuffle()
        | "Stage" >> beam.ParDo(StageCase(options, work_folder)).with_output_types(tuple[str, StagedCase])
        | "Gather" >> beam.GroupByKey()
        | "Write" >> beam.ParDo(WriteShard(folder, work_folder))
    )
