"""`cohort.json`, `cohort.csv` and `failed.jsonl`: a cohort's results in one place, made from the sidecars alone.

Nothing in them depends on the order in which workers finished, or on how often a job was interrupted. There may be a hundred
thousand sidecars of some kilobytes: each is read once, and none stays in memory.
"""

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from attent_tf.cohort.documents import ModelIdentity, SetAside, Sidecar
from attent_tf.cohort.results import FAILED_FILE, FORMAT, MANIFEST_FILE, TABLE_FILE, CohortFolder
from attent_tf.counting import counted
from attent_tf.datasets.cases import natural_key
from attent_tf.errors import RecordsError
from attent_tf.files import json_parts
from attent_tf.storage import answers, is_remote


def write_manifest(
    folder: CohortFolder,
    identity: ModelIdentity,
    structures: Sequence[str],
    cases: Sequence[str],
    failed: list[SetAside],
) -> None:
    """Writes the files about all cases, the manifest last.

    Args:
      folder: the folder with the results.
      identity: identity of the model.
      structures: names of its classes from 1.
      cases: names of the cases that must have a result.
      failed: `case`, `path` and `reason` of each scan that was set aside.

    Raises:
      RecordsError: not all of the results are there; nothing is written then.
    """
    failed = sorted(failed, key=lambda failure: natural_key(failure["case"]))
    counts = {"scans": len(cases) + len(failed), "done": len(cases), "failed": len(failed)}
    # The manifest's entries wait on this machine's disk, because what stands before them is known when all were read.
    with tempfile.TemporaryFile("w+", encoding="utf-8", prefix="attent-cohort-") as entries:
        versions = set()
        with folder.files.created(TABLE_FILE) as table:
            table.write(
                _row(["case", "path", "labels", *(f"{name}_ml" for name in structures), "mean_entropy", "warnings"])
            )
            for sidecar in _results(folder, identity, cases):
                table.write(_row(_fields(structures, sidecar)))
                entries.write(json.dumps(_entry(sidecar), allow_nan=False) + "\n")
                versions.add(json.dumps(sidecar["versions"], sort_keys=True))
        if failed:
            lines = (json.dumps(failure, allow_nan=False, ensure_ascii=False) + "\n" for failure in failed)
            folder.write(FAILED_FILE, "".join(lines).encode())
        else:
            folder.files.delete(FAILED_FILE)
        manifest = {
            "format": FORMAT,
            "model": identity,
            # More than one where workers differ, or where the library was replaced between two parts of the job.
            "versions": [json.loads(text) for text in sorted(versions)],
            "counts": counts,
            "cases": _read_back(entries),
            "failed": failed,
        }
        with folder.files.created(MANIFEST_FILE) as file:
            file.writelines(json_parts(manifest))


def _results(folder: CohortFolder, identity: ModelIdentity, cases: Sequence[str]) -> Iterator[Sidecar]:
    """Yields the sidecars in the natural order of their cases; raises at the end if some are missing."""
    found = 0
    for content in answers(folder.read, sorted(cases, key=natural_key), is_remote(folder.path)):
        if content is not None and content["model"] == identity:
            found += 1
            yield content
    if found != len(cases):
        raise RecordsError(
            f"{folder.path}: {found} of {counted(len(cases), 'result')} came back from the workers; "
            "check that all of them see the folder, and run again"
        )


def _read_back(entries: IO[str]) -> Iterator[dict[str, Any]]:
    entries.seek(0)
    return map(json.loads, entries)


def _entry(sidecar: Sidecar) -> dict[str, Any]:
    """What a sidecar says, without what another run of the same job would say differently."""
    source = sidecar["input"]
    return {
        "case": sidecar["case"],
        "input": {key: source[key] for key in ("path", "files", "bytes", "sha256")},
        **{key: sidecar[key] for key in ("labels", "mean_entropy", "organs", "warnings")},
    }


def _fields(structures: Sequence[str], sidecar: Sidecar) -> list[str | int]:
    """A case's line of the table, as wide as its head."""
    volumes = (f"{sidecar['organs'][name]['volume_ml']:.3f}" for name in structures)
    place = (sidecar["case"], sidecar["input"]["path"], sidecar["labels"]["file"])
    return [*place, *volumes, f"{sidecar['mean_entropy']:.6f}", len(sidecar["warnings"])]


def _row(fields: Sequence[str | int]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(fields)
    return line.getvalue().encode()
