"""The Beam transforms: thin wrappers around `slicing` and the TFRecord framing."""

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

# Rank of the case, index of the slice, serialised example.
RankedSlice = tuple[int, int, bytes]


class SliceCase(beam.DoFn):
    """Reads one case and yields its serialised slices, each with the shard that it belongs to."""

    def __init__(self, options: PreprocessOptions, notes_folder: str):
        self._options = options
        self._notes_folder = notes_folder
        self._cases = Metrics.counter("attent", "cases")
        self._slices = Metrics.counter("attent", "slices")

    def setup(self) -> None:
        from attent_tf.data import schema
        from beam_preprocess import slicing

        self._schema = schema
        self._slicing = slicing

    def process(self, planned: PlannedCase) -> Iterator[tuple[str, RankedSlice]]:
        name = planned.files.case
        with notes.refusals_noted(self._notes_folder, name):
            prepared, kept, entry = self._slicing.read_and_prepare(planned, self._options)
            for record in self._slicing.slice_records(prepared, kept, entry):
                yield planned.shard, (planned.position, record.slice_index, self._schema.encode(record))
                self._slices.inc()
            content = dataclasses.asdict(entry) | {"geometry": entry.geometry.to_json()}
            notes.leave(self._notes_folder, notes.CASE, name, content | {"position": planned.position})
        self._cases.inc()


class WriteShard(beam.DoFn):
    """Writes the slices of one shard in the order of the manifest, whatever order they arrive in."""

    def __init__(self, folder: str, notes_folder: str):
        self._folder = folder
        self._notes_folder = notes_folder

    def setup(self) -> None:
        from attent_tf.data import framing

        self._frame = framing.frame

    def process(self, element: tuple[str, Iterable[RankedSlice]]) -> None:
        shard, slices = element
        with notes.refusals_noted(self._notes_folder, shard):
            ranked = sorted(slices)
            ranks = {(position, index) for position, index, _ in ranked}
            if len(ranks) < len(ranked):
                raise RecordsError(f"{shard}: a slice arrived twice; run attent preprocess again")
            digest, size = hashlib.sha256(), 0
            with written_aside(Path(self._folder) / shard) as aside, aside.open("wb") as file:
                for _, _, payload in ranked:
                    framed = self._frame(payload)
                    file.write(framed)
                    digest.update(framed)
                    size += len(framed)
            content = {"file": shard, "records": len(ranked), "bytes": size, "sha256": digest.hexdigest()}
            notes.leave(self._notes_folder, notes.SHARD, shard, content)


def build(
    pipeline: beam.Pipeline, planned: list[PlannedCase], options: PreprocessOptions, folder: str, notes_folder: str
):
    """Adds the whole job to a pipeline: cases to slices, slices to shards.

    Args:
      pipeline: what to add to.
      planned: the cases, in any order.
      options: how to read and prepare a case.
      folder: where shards are written; every worker sees it under this path.
      notes_folder: where workers leave notes.
    """
    return (
        pipeline
        | "Cases" >> beam.Create(planned)
        | "Spread" >> beam.Reshuffle()
        | "Slice" >> beam.ParDo(SliceCase(options, notes_folder)).with_output_types(tuple[str, RankedSlice])
        | "Gather" >> beam.GroupByKey()
        | "Write" >> beam.ParDo(WriteShard(folder, notes_folder))
    )
