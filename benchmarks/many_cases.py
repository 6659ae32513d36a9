"""How the main program's part grows with the number of cases: the manifest and `attent info`.

Run: python benchmarks/many_cases.py [--cases 18000]
Writes records of so many cases of one slice of 16×16 pixels into eight shards, and prints the size of the manifest, the seconds
that reading it and the statistics of all records take, and the largest memory of this process.
"""

import argparse
import hashlib
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from attent_tf.data.manifest import (
    MANIFEST_FILE,
    ManifestCase,
    ManifestShard,
    make_manifest,
    read_manifest,
    shard_name,
    write_manifest,
)
from attent_tf.data.schema import SliceRecord, encode
from attent_tf.data.statistics import folder_statistics
from attent_tf.tasks import load_task
from attent_tf.tfrecord.framing import frame
from attent_tf.volumes import CaseGeometry, PrepareOptions

SHARDS, SIZE = 8, 16


def geometry() -> CaseGeometry:
    """A scan of one slice, stored as it is."""
    return CaseGeometry.from_json(
        {
            "stored_shape": [SIZE, SIZE, 1],
            "stored_affine": [[-1.6, 0.0, 0.0, 0.0], [0.0, 1.6, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
            "grid": {"size": SIZE, "row_origin": 0.0, "row_scale": 1.0, "column_origin": 0.0, "column_scale": 1.0}
            | {"slices": 1, "slice_origin": 0.0, "slice_scale": 1.0},
            "geometry": "physical",
            "record_spacing_mm": [5.0, 1.6, 1.6],
            "intensity": {"rule": "window:-160:240", "low": -160.0, "high": 240.0},
            "neighbours": 0,
        }
    )


def write_records(folder: Path, count: int) -> None:
    """Writes the records of `count` cases."""
    task, place = load_task("abdomen"), geometry()
    image, label = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.uint8)
    frames, cases = [[] for _ in range(SHARDS)], []
    for number in range(count):
        shard, name = number * SHARDS // count, f"nifti-{number:06d}"
        frames[shard].append(frame(encode(SliceRecord(image, label, name, "ct", "train", 0, 1, place), task)))
        where = shard_name(shard, SHARDS)
        cases.append(
            ManifestCase(name, name, "ct", "nifti", "train", True, 1, 1, False, f"{number:064x}", where, place)
        )
    shards = []
    for number, held in enumerate(frames):
        name, body = shard_name(number, SHARDS), b"".join(held)
        (folder / name).write_bytes(body)
        shards.append(ManifestShard(name, len(held), len(body), hashlib.sha256(body).hexdigest()))
    options = {"split": "file", "preparation": PrepareOptions().to_json()}
    write_manifest(folder, make_manifest(task, options, cases, shards))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=18000)
    count = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_records(folder, count)
        size = (folder / MANIFEST_FILE).stat().st_size
        print(f"{count} cases: {MANIFEST_FILE} {size / 1e6:.1f} MB, {size / count:.0f} bytes a case")
        start = time.monotonic()
        manifest = read_manifest(folder)
        print(f"manifest read and checked: {time.monotonic() - start:.1f} s")
        start = time.monotonic()
        folder_statistics(folder, manifest)
        print(f"statistics of all records: {time.monotonic() - start:.1f} s")
    print(f"largest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
