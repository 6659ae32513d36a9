"""How the main program's part grows with the number of cases: manifest, plan, shuffle, notes, statistics and a cohort's summary.

Run: python benchmarks/many_cases.py [--cases 18000] [--parts write,read,info,plan,notes,cohort] [-- --runner=FlinkRunner ...]
Makes up so many cases, each with one slice of 16×16 pixels, and does each part in a process of its own: the seconds that it
takes, and the largest resident memory of the process beside what it has when the libraries are loaded. `write` is what the
main program does once the workers are done, `read` what every reader of records does, `info` the statistics of all records,
`plan` the files of the plan and the description of the job, `notes` the reading of the workers' notes, `cohort` `cohort.json`
and `cohort.csv` out of sidecars. Flags of Beam after `--` name a runner which is then given the plan, with a step that does
nothing.
"""

import argparse
import functools
import gc
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from attent_tf.cohort import CohortFolder
from attent_tf.cohort.manifest import write_manifest as write_cohort
from attent_tf.data.manifest import (
    MANIFEST_FILE,
    Manifest,
    ManifestCase,
    ManifestShard,
    make_manifest,
    read_manifest,
    shard_name,
    write_manifest,
)
from attent_tf.data.schema import SliceRecord, encode
from attent_tf.data.statistics import folder_statistics
from attent_tf.datasets.cases import CaseFiles
from attent_tf.datasets.description import DatasetDescription
from attent_tf.datasets.load import load_description
from attent_tf.shared_folders import LocalFolder
from attent_tf.tasks import load_task
from attent_tf.tfrecord.framing import frame
from attent_tf.volumes import CaseGeometry, PrepareOptions
from beam_preprocess import notes
from beam_preprocess.plan import PlannedCase
from beam_preprocess.worker_notes import CaseNote, read_case_note

SHARDS, SIZE, DICOM_SLICES = 8, 16, 36
TASK = load_task("abdomen")


def geometry(number: int) -> CaseGeometry:
    """A scan of one slice, stored as it is; no two lie at the same place."""
    x, y = -120.0 - number / 7, 140.0 + number / 11
    return CaseGeometry.from_json(
        {
            "stored_shape": [SIZE, SIZE, 1],
            "stored_affine": [[-1.6, 0.0, 0.0, x], [0.0, 1.6, 0.0, y], [0.0, 0.0, 5.0, -x], [0.0, 0.0, 0.0, 1.0]],
            "grid": {"size": SIZE, "row_origin": x / 3, "row_scale": 1.0, "column_origin": y / 3, "column_scale": 1.0}
            | {"slices": 1, "slice_origin": 0.0, "slice_scale": 1.0},
            "geometry": "physical",
            "record_spacing_mm": [5.0, 1.6, 1.6],
            "intensity": {"rule": "window:-160:240", "low": -160.0, "high": 240.0},
            "neighbours": 0,
        }
    )


def cases(count: int) -> Iterator[ManifestCase]:
    for number in range(count):
        name, shard = f"nifti-{number:06d}", shard_name(number * SHARDS // count, SHARDS)
        digest = hashlib.sha256(name.encode()).hexdigest()
        yield ManifestCase(name, name, "ct", "nifti", "train", True, 1, 1, False, digest, shard, geometry(number))


def make_records(folder: Path, count: int) -> Manifest:
    """Writes the shards of `count` cases and returns their manifest, which is not written."""
    image, label = np.zeros((SIZE, SIZE), np.float32), np.zeros((SIZE, SIZE), np.uint8)
    entries, files, shards = [], {}, []
    for case in cases(count):
        entries.append(case)
        record = SliceRecord(image, label, case.case, "ct", "train", 0, 1, case.geometry)
        file = files.get(case.shard)
        if file is None:
            file = files[case.shard] = (folder / case.shard).open("wb")
        file.write(frame(encode(record, TASK)))
    for name, file in sorted(files.items()):
        file.close()
        body = (folder / name).read_bytes()
        held = sum(case.shard == name for case in entries)
        shards.append(ManifestShard(name, held, len(body), hashlib.sha256(body).hexdigest()))
    options = {"split": "file", "preparation": PrepareOptions().to_json()}
    return make_manifest(TASK, options, entries, shards)


@functools.cache
def description_of(layout: str) -> DatasetDescription:
    return load_description(layout).joined(TASK.structure_names)


def files_of(number: int, dicom: bool) -> CaseFiles:
    """A case as the survey of a folder finds it: two NIfTI files, or a series of DICOM files."""
    layout = "dicom" if dicom else "nifti"
    name, description = f"{layout}-{number:06d}", description_of(layout)
    images = tuple(f"/data/scans/{name}/IM-{place:04d}.dcm" for place in range(DICOM_SLICES)) if dicom else None
    images, labels = images or (f"/data/images/{name}.nii.gz",), () if dicom else (f"/data/labels/{name}.nii.gz",)
    return CaseFiles(name, name, TASK, "ct", description, images, labels)


def planned(count: int, dicom: bool = False) -> list[PlannedCase]:
    return [
        PlannedCase(files_of(number, dicom), "train", "body", number, shard_name(number * SHARDS // count, SHARDS))
        for number in range(count)
    ]


def part_write(folder: Path, count: int) -> Callable[[], str]:
    entries = list(cases(count))
    shards = [ManifestShard(shard_name(place, SHARDS), 1, 1, "0" * 64) for place in range(SHARDS)]

    def work() -> str:
        manifest = make_manifest(TASK, {"preparation": PrepareOptions().to_json()}, entries, shards)
        write_manifest(folder, manifest)
        size = (folder / MANIFEST_FILE).stat().st_size
        return f"{MANIFEST_FILE} of {size / 1e6:.1f} MB, {size / count:.0f} bytes a case; its cases are there before"

    return work


def part_read(folder: Path, count: int) -> Callable[[], str]:
    subprocess.run([sys.executable, __file__, "--records", str(folder), "--cases", str(count)], check=True)
    return lambda: f"{len(read_manifest(folder).cases)} cases read and checked"


def part_info(folder: Path, count: int) -> Callable[[], str]:
    subprocess.run([sys.executable, __file__, "--records", str(folder), "--cases", str(count)], check=True)
    manifest = read_manifest(folder)
    return lambda: f"statistics of {len(folder_statistics(folder, manifest)['cases'])} cases, manifest read before"


def part_plan(folder: Path, count: int) -> Callable[[], str]:
    import apache_beam as beam

    from beam_preprocess.plan_files import spread_cases
    from beam_preprocess.transforms import StagedCase

    plans = {"NIfTI": planned(count), f"DICOM of {DICOM_SLICES} slices": planned(count, True)}

    def work() -> str:
        told = []
        for kind, plan in plans.items():
            pipeline = beam.Pipeline(runner="FnApiRunner")
            spread_cases(pipeline, plan, LocalFolder(folder), kind[:5])
            size = pipeline.to_runner_api().ByteSize()
            files = sum(path.stat().st_size for path in folder.glob(f"{kind[:5]}-*"))
            shuffled = len(beam.coders.registry.get_coder(PlannedCase).encode(plan[-1]))
            told.append(
                f"{kind}: description {size / 1e3:.0f} kB, plan {files / 1e6:.1f} MB, {files / count:.0f} bytes a case, of"
                f" which {shuffled} go through the first shuffle"
            )
        second = beam.coders.registry.get_coder(tuple[str, StagedCase])
        told.append(f"{len(second.encode((shard_name(0, SHARDS), (count, 200))))} in the second one")
        return "; ".join(told)

    return work


def part_notes(folder: Path, count: int) -> Callable[[], str]:
    work = LocalFolder(folder)
    for place, case in enumerate(cases(count)):
        notes.leave(work, notes.CASE, case.case, CaseNote(case, place, (), "").to_json())

    def read() -> str:
        staged = []
        with notes.watched(work, {notes.CASE: lambda content: staged.append(read_case_note(content))}):
            pass
        size = sum(path.stat().st_size for path in folder.iterdir())
        return f"{len(staged)} notes read and kept, {size / count:.0f} bytes each"

    return read


def part_cohort(folder: Path, count: int) -> Callable[[], str]:
    results = CohortFolder(str(folder))
    identity = {"method": "attent", "weights_sha256": "0" * 64, "preparation": PrepareOptions().to_json()}
    names = [f"scan-{number:06d}" for number in range(count)]
    organ = {"volume_ml": 123.456789, "voxels": 61728, "mean_entropy": 0.0123456789}
    for name in names:
        sidecar = {
            "format": 1,
            "case": name,
            "input": {"path": f"/data/scans/{name}.nii.gz", "files": 1, "bytes": 1, "mtime_ns": 0, "sha256": "0" * 64},
            "model": identity,
            "labels": {"file": f"{name}.nii.gz", "bytes": 1, "sha256": "0" * 64},
            "warnings": [],
            "mean_entropy": 0.0123456789,
            "organs": dict.fromkeys(TASK.structure_names, organ),
            "versions": {"attent_tf": "1.0", "tensorflow": "2.21.0"},
            "shape": [512, 512, 200],
            "spacing_mm": [0.75, 0.75, 3.0],
        }
        (folder / f"{name}.nii.gz").write_bytes(b"0")
        (folder / f"{name}.json").write_text(json.dumps(sidecar, indent=2))

    def work() -> str:
        write_cohort(results, identity, TASK.structure_names, names, [])
        size = (folder / "cohort.json").stat().st_size
        return f"cohort.json of {size / 1e6:.1f} MB, {size / count:.0f} bytes a scan"

    return work


PARTS = {
    "write": part_write,
    "read": part_read,
    "info": part_info,
    "plan": part_plan,
    "notes": part_notes,
    "cohort": part_cohort,
}


def measure(part: str, count: int) -> None:
    """Does one part and prints what it took; the peak of memory is set back before it, where the kernel can."""
    with tempfile.TemporaryDirectory() as scratch:
        work = PARTS[part](Path(scratch), count)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")
        before, start = _resident_mib("VmRSS"), time.monotonic()
        told = work()
        seconds, peak = time.monotonic() - start, _resident_mib("VmHWM")
    print(f"{part:7}{seconds:8.1f} s {peak:7.0f} MiB, {peak - before:+6.0f} MiB   {told}", flush=True)


def hand_over(count: int, flags: list[str]) -> None:
    """Gives a runner the plan, with a step that does nothing."""
    import apache_beam as beam

    from beam_preprocess.plan_files import spread_cases
    from beam_preprocess.runner import new_pipeline

    plan, start = planned(count), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = new_pipeline(flags)
        _ = spread_cases(pipeline, plan, LocalFolder(folder)) | beam.Map(lambda case: case.position)
        pipeline.run().wait_until_finish()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"a plan of {count} cases run in {time.monotonic() - start:.1f} s, main program {memory:.0f} MiB", flush=True)


def _resident_mib(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=18000)
    parser.add_argument("--parts", default=",".join(PARTS), help="some of them, with commas between")
    parser.add_argument("--records", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("flags", nargs="*", help="of Beam, after --: a runner that is given the plan instead")
    given = parser.parse_args()
    if given.records:
        write_manifest(given.records, make_records(given.records, given.cases))
    elif given.one:
        measure(given.one, given.cases)
    elif given.flags:
        hand_over(given.cases, given.flags)
    else:
        print(f"{given.cases} cases; seconds, memory of the process, and what the part added to it", flush=True)
        for part in given.parts.split(","):
            subprocess.run([sys.executable, __file__, "--one", part, "--cases", str(given.cases)], check=True)


if __name__ == "__main__":
    main()
