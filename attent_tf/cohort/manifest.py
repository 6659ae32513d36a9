"""`cohort.json`, `cohort.csv` and `failed.jsonl`: a cohort's results in one place, made from the sidecars alone.

Nothing in them depends on the order in which workers finished, or on how often a job was interrupted.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from attent_tf.cohort.documents import ModelIdentity, SetAside, Sidecar
from attent_tf.cohort.results import FAILED_FILE, FORMAT, MANIFEST_FILE, TABLE_FILE, CohortFolder
from attent_tf.datasets.cases import natural_key
from attent_tf.files import write_bytes, write_json


def write_manifest(
    folder: CohortFolder,
    identity: ModelIdentity,
    structures: Sequence[str],
    done: list[Sidecar],
    failed: list[SetAside],
) -> None:
    """Writes what speaks of all cases, the manifest last.

    Args:
      folder: with the results.
      identity: of the model.
      structures: names of its classes from 1.
      done: the sidecars.
      failed: `case`, `path` and `reason` of each scan that was set aside.
    """
    done = sorted(done, key=lambda sidecar: natural_key(sidecar["case"]))
    failed = sorted(failed, key=lambda failure: natural_key(failure["case"]))
    if failed:
        lines = (json.dumps(failure, allow_nan=False, ensure_ascii=False) + "\n" for failure in failed)
        write_bytes(folder.file(FAILED_FILE), "".join(lines).encode())
    else:
        folder.file(FAILED_FILE).unlink(missing_ok=True)
    write_bytes(folder.file(TABLE_FILE), _table(structures, done).encode())
    write_json(folder.file(MANIFEST_FILE), _manifest(identity, done, failed))


def _manifest(identity: ModelIdentity, done: list[Sidecar], failed: list[SetAside]) -> dict[str, Any]:
    versions = {json.dumps(sidecar["versions"], sort_keys=True) for sidecar in done}
    return {
        "format": FORMAT,
        "model": identity,
        # More than one where workers differ, or where the library was replaced between two parts of the job.
        "versions": [json.loads(text) for text in sorted(versions)],
        "counts": {"scans": len(done) + len(failed), "done": len(done), "failed": len(failed)},
        "cases": [_entry(sidecar) for sidecar in done],
        "failed": failed,
    }


def _entry(sidecar: Sidecar) -> dict[str, Any]:
    """What a sidecar says, without what another run of the same job would say differently."""
    source = sidecar["input"]
    return {
        "case": sidecar["case"],
        "input": {key: source[key] for key in ("path", "files", "bytes", "sha256")},
        **{key: sidecar[key] for key in ("labels", "mean_entropy", "organs", "warnings")},
    }


def _table(structures: Sequence[str], done: list[Sidecar]) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["case", "path", "labels", *(f"{name}_ml" for name in structures), "mean_entropy", "warnings"])
    for sidecar in done:
        volumes = (f"{sidecar['organs'][name]['volume_ml']:.3f}" for name in structures)
        place = (sidecar["case"], sidecar["input"]["path"], sidecar["labels"]["file"])
        writer.writerow([*place, *volumes, f"{sidecar['mean_entropy']:.6f}", len(sidecar["warnings"])])
    return table.getvalue()
