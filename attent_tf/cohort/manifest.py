"""`cohort.json`, `cohort.csv` and `failed.jsonl`: a cohort's results in one place, made from the sidecars alone.

Nothing in them depends on the order in which workers finished, or on how often a job was interrupted.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from attent_tf.cohort.results import FAILED_FILE, FORMAT, MANIFEST_FILE, TABLE_FILE, CohortFolder
from attent_tf.datasets.cases import natural_key
from attent_tf.files import json_bytes


def write_manifest(
    folder: CohortFolder,
    identity: dict[str, Any],
    structures: Sequence[str],
    done: list[dict[str, Any]],
    failed: list[dict[str, str]],
) -> None:
    """Writes what speaks of all cases, the manifest last.

    Args:
      folder: with the results.
      identity: of the model.
      structures: names of its classes from 1.
      done: the sidecars.
      failed: `case`, `path` and `reason` of each scan that was set aside.
    """
    done = sorted(done, key=lambda one: natural_key(one["case"]))
    failed = sorted(failed, key=lambda one: natural_key(one["case"]))
    if failed:
        lines = (json.dumps(one, allow_nan=False, ensure_ascii=False) + "\n" for one in failed)
        folder.write(FAILED_FILE, "".join(lines).encode())
    else:
        folder.files.delete(FAILED_FILE)
    folder.write(TABLE_FILE, _table(structures, done).encode())
    folder.write(MANIFEST_FILE, json_bytes(_manifest(identity, done, failed)))


def _manifest(identity: dict[str, Any], done: list[dict[str, Any]], failed: list[dict[str, str]]) -> dict[str, Any]:
    versions = {json.dumps(one["versions"], sort_keys=True) for one in done}
    return {
        "format": FORMAT,
        "model": identity,
        # More than one where workers differ, or where the library was replaced between two parts of the job.
        "versions": [json.loads(one) for one in sorted(versions)],
        "counts": {"scans": len(done) + len(failed), "done": len(done), "failed": len(failed)},
        "cases": [_entry(one) for one in done],
        "failed": failed,
    }


def _entry(sidecar: dict[str, Any]) -> dict[str, Any]:
    """What a sidecar says but for that which another run of the same job would say otherwise."""
    source = sidecar["input"]
    return {
        "case": sidecar["case"],
        "input": {key: source[key] for key in ("path", "files", "bytes", "sha256")},
        **{key: sidecar[key] for key in ("labels", "mean_entropy", "organs", "warnings")},
    }


def _table(structures: Sequence[str], done: list[dict[str, Any]]) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["case", "path", "labels", *(f"{name}_ml" for name in structures), "mean_entropy", "warnings"])
    for one in done:
        volumes = (f"{one['organs'][name]['volume_ml']:.3f}" for name in structures)
        place = (one["case"], one["input"]["path"], one["labels"]["file"])
        writer.writerow([*place, *volumes, f"{one['mean_entropy']:.6f}", len(one["warnings"])])
    return table.getvalue()
