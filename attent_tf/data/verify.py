"""A full check of a records folder: every byte, every record, and that no patient is in two splits."""

import collections
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from attent_tf.counting import counted
from attent_tf.data.manifest import Manifest, ManifestCase, ManifestShard, check_shard_size, read_manifest
from attent_tf.data.reader import check_promise
from attent_tf.data.schema import decode
from attent_tf.errors import RecordsError
from attent_tf.tasks import Task
from attent_tf.tfrecord.framing import read_frames

_BLOCK_BYTES = 1 << 20


def verify(folder: str | os.PathLike[str]) -> Manifest:
    """Reads a whole records folder and checks all that its manifest says.

    Args:
      folder: a records folder.

    Returns:
      Its manifest.

    Raises:
      RecordsError: a checksum, a count or a record differs from the manifest, or a patient is in two splits.
    """
    manifest = read_manifest(folder, check_shards=False)
    for fault in faults(folder, manifest):
        raise fault
    return manifest


def faults(
    folder: str | os.PathLike[str], manifest: Manifest, report: Callable[[int], None] = lambda _: None
) -> Iterator[RecordsError]:
    """Yields what is wrong with a records folder: at most one fault for each shard, and leaks between splits.

    Args:
      folder: a records folder.
      manifest: its manifest, from `read_manifest`; its shards may be missing.
      report: called with the number of records of each shard that was looked at.
    """
    try:
        check_no_leak(manifest.cases, str(folder))
    except RecordsError as error:
        yield error
    held = collections.defaultdict(list)
    for case in manifest.cases:
        held[case.shard].append(case)
    for shard in manifest.shards:
        path, cases = Path(folder) / shard.file, held[shard.file]
        try:
            check_shard_size(path, shard)
            _verify_shard(path, shard, cases, manifest.task)
        except RecordsError as error:
            yield error
        except OSError as error:
            # Also a disk that gives up half way through a shard.
            yield RecordsError(f"{path}: cannot be read ({error.strerror}); copy it here or preprocess again")
        report(shard.records)


def strangers(folder: str | os.PathLike[str], manifest: Manifest) -> list[str]:
    """Returns the names of TFRecord files in a folder that its manifest does not list; readers leave them alone."""
    listed = {shard.file for shard in manifest.shards}
    return sorted(
        path.name for path in Path(folder).iterdir() if path.suffix == ".tfrecord" and path.name not in listed
    )


def check_no_leak(cases: Iterable[ManifestCase], name: str) -> None:
    """Checks that no patient is in two splits: no case, no patient's identifier, and no scan under two names.

    Args:
      cases: entries of a manifest.
      name: what messages call the folder.

    Raises:
      RecordsError: names the cases and their splits.
    """
    for word in ("case", "patient", "sha256"):
        places = collections.defaultdict(list)
        for case in cases:
            places[getattr(case, word)].append(case)
        for members in places.values():
            if len({case.split for case in members}) > 1:
                listing = " and ".join(f"{case.case} ({case.split})" for case in members)
                same = "the same scan" if word == "sha256" else f"one {word}"
                raise RecordsError(f"{name}: one patient in two splits: {listing} are {same}; remove one of them")


def _verify_shard(path: Path, shard: ManifestShard, cases: list[ManifestCase], task: Task) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
        if digest.hexdigest() != shard.sha256:
            raise RecordsError(f"{path}: its SHA-256 differs from the manifest's; copy it again or preprocess again")
        file.seek(0)
        promised = (case for case in cases for _ in range(case.slices))
        current, previous, position = None, -1, -1
        for position, payload in enumerate(read_frames(file, str(path))):
            case = next(promised, None)
            if case is None:
                break
            previous = previous if case is current else -1
            record = decode(payload, task, f"{path}: record {position}")
            check_promise(record, case, previous, f"{path}: record {position}")
            current, previous = case, record.slice_index
    if position + 1 != shard.records:
        raise RecordsError(
            f"{path}: expected {counted(shard.records, 'record')}, found {position + 1} or more; preprocess again"
        )
