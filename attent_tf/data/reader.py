"""Records as NumPy arrays, read in the order of the manifest; no TensorFlow."""

import collections
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from attent_tf.data.manifest import Manifest, ManifestCase
from attent_tf.data.schema import SliceRecord, decode
from attent_tf.errors import RecordsError
from attent_tf.tfrecord.framing import read_frames


def read_records(folder: str | os.PathLike, manifest: Manifest, domain: str, split: str) -> Iterator[SliceRecord]:
    """Yields the slices of all cases that serve a split, case by case, each from inferior to superior.

    Args:
      folder: a records folder.
      manifest: its manifest, from `read_manifest`.
      domain: name of a domain of the task.
      split: `train` or `test`; cases of the split `all` serve both.

    Yields:
      Slices; shards without such cases are not opened, records between them are skipped unread.

    Raises:
      RecordsError: there is no such case, or a record is damaged or not the one that the manifest promises.
    """
    cases = manifest.select(domain, split)
    if not cases:
        held = ", ".join(sorted({f"{case.domain}/{case.split}" for case in manifest.cases})) or "nothing"
        raise RecordsError(f"{folder}: expected {domain} cases for {split!r}, found {held}; preprocess with them")
    for run, start in _runs(manifest, cases):
        yield from _slices_of(folder, manifest, run, start)


def read_each_case(
    folder: str | os.PathLike, manifest: Manifest
) -> Iterator[tuple[ManifestCase, Iterator[SliceRecord]]]:
    """Yields all cases in the order of the manifest, each with its slices; every shard is read once, from begin to end.

    Args:
      folder: a records folder.
      manifest: its manifest, from `read_manifest`.

    Yields:
      The entry of a case and its slices, which have to be taken before the next case is asked for.

    Raises:
      RecordsError: a record is missing, damaged or not the one that the manifest promises.
    """
    for run, start in _runs(manifest, manifest.cases):
        slices = _slices_of(folder, manifest, run, start)
        for case in run:
            yield case, itertools.islice(slices, case.slices)


def read_case_records(folder: str | os.PathLike, manifest: Manifest, case: str) -> list[SliceRecord]:
    """Returns all slices of one case, from inferior to superior.

    Args:
      folder: a records folder.
      manifest: its manifest, from `read_manifest`.
      case: identifier such as `chaos-1`.

    Returns:
      As many slices as the manifest says, sorted by `slice_index`.

    Raises:
      RecordsError: no such case, or a record is missing, damaged or not the one that the manifest promises.
    """
    for entry in manifest.cases:
        if entry.case == case:
            ((run, start),) = _runs(manifest, [entry])
            return list(_slices_of(folder, manifest, run, start))
    held = ", ".join(entry.case for entry in manifest.cases)
    raise RecordsError(f"{folder}: no case {case!r}; it holds {held}")


def _runs(manifest: Manifest, cases: Sequence[ManifestCase]) -> Iterator[tuple[list[ManifestCase], int]]:
    """Cases in the order of the manifest, together where they follow each other in a shard: it is then read at one go.

    Yields:
      Cases that follow each other, and how many records of their shard stand before them.
    """
    wanted, run, start = {case.case for case in cases}, [], 0
    ends = collections.Counter()
    for case in manifest.cases:
        if run and (case.case not in wanted or case.shard != run[0].shard):
            yield run, start
            run = []
        if case.case in wanted:
            start = start if run else ends[case.shard]
            run.append(case)
        ends[case.shard] += case.slices
    if run:
        yield run, start


def _slices_of(
    folder: str | os.PathLike, manifest: Manifest, run: Sequence[ManifestCase], start: int
) -> Iterator[SliceRecord]:
    """Reads the records of cases that follow each other in one shard, behind `start` others."""
    path = Path(folder) / run[0].shard
    places = (case for case in run for _ in range(case.slices))
    try:
        with path.open("rb") as file:
            current, previous = None, -1
            payloads = read_frames(file, str(path), start, sum(case.slices for case in run))
            for position, (case, payload) in enumerate(zip(places, payloads, strict=True), start):
                previous = previous if case is current else -1
                record = decode(payload, manifest.task, f"{path}: record {position}")
                check_promise(record, case, previous, f"{path}: record {position}")
                current, previous = case, record.slice_index
                yield record
    except OSError as error:
        raise RecordsError(f"{path}: cannot be read ({error.strerror}); copy it here or preprocess again") from error


def check_promise(record: SliceRecord, case: ManifestCase, previous: int, name: str) -> None:
    """Checks that a record is what the manifest promises at its place.

    Args:
      record: what was read.
      case: whose record it should be.
      previous: slice index of the record before it of the same case, or -1.
      name: what messages call the record.

    Raises:
      RecordsError: another case, domain, split, geometry or label state, or slices out of order.
    """
    expected = (case.case, case.domain, case.split, case.slice_count, case.labelled)
    found = (record.case, record.domain, record.split, record.slice_count, record.label is not None)
    if found != expected or record.geometry.to_json() != case.geometry.to_json():
        raise RecordsError(
            f"{name}: the manifest promises a slice of {case.case}, {case.split}; found {record.case}, "
            f"{record.split}, or another geometry; preprocess again"
        )
    if record.slice_index <= previous:
        raise RecordsError(f"{name}: slice {record.slice_index} comes after slice {previous}; preprocess again")
