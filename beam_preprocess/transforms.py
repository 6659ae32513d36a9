"""The Beam transforms: thin wrappers around `slicing` and the TFRecord framing.

Between the steps travel only ranks and counts. The slices themselves go through files in the folder that all workers
share, so that no worker, and no runner's shuffle, ever holds more than one case in memory.
"""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator

import apache_beam as beam
import threadpoolctl
from apache_beam.metrics import Metrics

from attent_tf.data.manifest import ManifestShard
from attent_tf.errors import RecordsError
from attent_tf.shared_folders import SharedFolder
from beam_preprocess import notes, rejections
from beam_preprocess.counters import CASES, NAMESPACE, REJECTED, SLICES
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase
from beam_preprocess.plan_files import spread_cases
from beam_preprocess.worker_notes import CaseNote, MeasureNote

# Rank of a case in the manifest, and its number of records.
StagedCase = tuple[int, int]

_BLOCK_BYTES = 1 << 20


class MeasureCase(beam.DoFn):
    """Takes the intensity statistics of one training case and leaves them as a note."""

    def __init__(self, options: PreprocessOptions, work: SharedFolder):
        self._options = options
        self._work = work

    def setup(self) -> None:
        from beam_preprocess import slicing

        self._slicing = slicing

    def process(self, planned: PlannedCase) -> None:
        name = planned.files.case
        try:
            with refusals_kept(self._options, self._work, name), single_threaded():
                statistics = self._slicing.measure(planned, self._options)
        except Exception as error:
            # The case is rejected where it is staged.
            if not may_be_set_aside(self._options, error):
                raise
            return
        note = MeasureNote(name, planned.files.domain, statistics)
        notes.leave(self._work, notes.MEASURE, name, dataclasses.asdict(note))


class StageCase(beam.DoFn):
    """Reads one case, writes its framed slices to a file of its own, and yields its shard and rank."""

    def __init__(self, options: PreprocessOptions, work: SharedFolder, previews: SharedFolder):
        self._options = options
        self._work = work
        self._previews = previews

    def setup(self) -> None:
        from attent_tf.data import schema
        from attent_tf.tfrecord import framing
        from beam_preprocess import previews, slicing

        self._framing, self._schema, self._slicing, self._draw = framing, schema, slicing, previews.draw

    def process(self, planned: PlannedCase) -> Iterator[tuple[str, StagedCase]]:
        name = planned.files.case
        # A runner that gives a bundle to a second worker must not have the case both set aside and written.
        rejected = notes.find(self._work, notes.REJECTED, name) if self._options.on_error == "skip" else None
        slices = 0
        if rejected is None:
            try:
                slices = self._stage(planned, name)
            except Exception as error:
                if not may_be_set_aside(self._options, error):
                    raise
                rejected = rejections.found_by_worker(planned, notes.error_parts(error, name))
                notes.leave(self._work, notes.REJECTED, name, rejected)
        if rejected is None:
            Metrics.counter(NAMESPACE, CASES).inc()
            Metrics.counter(NAMESPACE, SLICES).inc(slices)
        else:
            count_rejected(rejected["reason"])
        # Of a rejected case as well: its shard is written even if nothing is left for it.
        yield planned.shard, (planned.position, slices)

    def _stage(self, planned: PlannedCase, name: str) -> int:
        with refusals_kept(self._options, self._work, name), single_threaded():
            prepared, kept, entry, warnings = self._slicing.read_and_prepare(planned, self._options)
            with self._work.created(staged_file(planned.position)) as file:
                for record in self._slicing.slice_records(prepared, kept, entry):
                    file.write(self._framing.frame(self._schema.encode(record, self._options.task)))
            sheet = ""
            if self._options.preview:
                sheet = self._draw(self._previews, self._options.task, prepared, entry)
            notes.leave(self._work, notes.CASE, name, CaseNote(entry, planned.position, warnings, sheet).to_json())
        return entry.slices


class SetAside(beam.DoFn):
    """Counts a case that was refused before the job began, and keeps its shard in the plan."""

    def process(self, element: tuple[str, int, str]) -> Iterator[tuple[str, StagedCase]]:
        shard, position, reason = element
        count_rejected(reason)
        yield shard, (position, 0)


class WriteShard(beam.DoFn):
    """Joins the cases of one shard in the order of the manifest, whatever order they arrive in."""

    def __init__(self, folder: SharedFolder, work: SharedFolder):
        self._folder = folder
        self._work = work

    def process(self, element: tuple[str, Iterable[StagedCase]]) -> None:
        shard, cases = element
        with notes.refusals_noted(self._work, shard):
            ranked = sorted(cases)
            if len({position for position, _ in ranked}) < len(ranked):
                raise RecordsError(f"{shard}: a case arrived twice; run attent preprocess again")
            digest, size = hashlib.sha256(), 0
            with self._folder.created(shard) as joined:
                for position, slices in ranked:
                    if not slices:
                        continue
                    with self._work.opened(staged_file(position)) as staged:
                        while block := staged.read(_BLOCK_BYTES):
                            joined.write(block)
                            digest.update(block)
                            size += len(block)
            records = sum(slices for _, slices in ranked)
            entry = ManifestShard(file=shard, records=records, bytes=size, sha256=digest.hexdigest())
            notes.leave(self._work, notes.SHARD, shard, dataclasses.asdict(entry))


def may_be_set_aside(options: PreprocessOptions, error: Exception) -> bool:
    """Whether the job goes on without the case that raised an error."""
    return options.on_error == "skip" and notes.is_fault_of_case(error)


@contextlib.contextmanager
def refusals_kept(options: PreprocessOptions, work: SharedFolder, name: str) -> Iterator[None]:
    """Leaves a note of an error that will end the job, and only of such."""
    try:
        yield
    except Exception as error:
        if may_be_set_aside(options, error):
            raise
        with notes.refusals_noted(work, name):
            raise


def count_rejected(reason: str) -> None:
    """Counts a rejected case, and that its reason was this one."""
    Metrics.counter(NAMESPACE, REJECTED).inc()
    Metrics.counter(NAMESPACE, f"{REJECTED}_{reason}").inc()


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Keeps linear algebra to one thread: cores belong to workers, and sums come in one order."""
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        yield


def staged_file(position: int) -> str:
    """Returns the name under which the slices of the case with a rank wait for their shard."""
    return f"staged-{position:06d}.tfrecord"


def build_measurement(
    pipeline: beam.Pipeline, planned: list[PlannedCase], options: PreprocessOptions, work: SharedFolder
):
    """Adds the measuring of training cases to a pipeline.

    Args:
      pipeline: what to add to.
      planned: the training cases of domains whose intensity rule pools them.
      options: how to read a case, and the rules.
      work: where workers leave notes.
    """
    return spread_cases(pipeline, planned, work, "measured-plan") | "Measure" >> beam.ParDo(MeasureCase(options, work))


def build(
    pipeline: beam.Pipeline,
    planned: list[PlannedCase],
    set_aside: list[tuple[PlannedCase, str]],
    options: PreprocessOptions,
    folder: SharedFolder,
    work: SharedFolder,
    previews: SharedFolder,
):
    """Adds the whole job to a pipeline: cases to slices, slices to shards.

    Args:
      pipeline: what to add to.
      planned: the cases to work on, in any order.
      set_aside: cases of the plan that were refused before, each with its reason.
      options: how to read and prepare a case.
      folder: where shards are written; every worker sees it under this path.
      work: where workers leave notes and staged cases, likewise.
      previews: where contact sheets are written, likewise.
    """
    staged = spread_cases(pipeline, planned, work) | "Stage" >> beam.ParDo(
        StageCase(options, work, previews)
    ).with_output_types(tuple[str, StagedCase])
    refused = (
        pipeline
        | "Refused" >> beam.Create([(case.shard, case.position, reason) for case, reason in set_aside], reshuffle=False)
        | "Set aside" >> beam.ParDo(SetAside()).with_output_types(tuple[str, StagedCase])
    )
    return (
        (staged, refused)
        | "Together" >> beam.Flatten()
        | "Gather" >> beam.GroupByKey()
        | "Write" >> beam.ParDo(WriteShard(folder, work))
    )
