"""Records made by hand: small, and different in every field that a mix-up could exchange."""

import dataclasses
import hashlib

import numpy as np
import pytest

from attent_tf.data.manifest import (
    ManifestCase,
    ManifestShard,
    make_manifest,
    read_manifest,
    shard_name,
    write_manifest,
)
from attent_tf.data.schema import SliceRecord, encode
from attent_tf.tasks import load_task
from attent_tf.tfrecord.framing import frame
from attent_tf.volumes import CaseGeometry
from tests.support.abdomen import ABDOMEN

SIZE = 16


def _geometry(number: int = 0, neighbours: int = 0) -> CaseGeometry:
    return CaseGeometry.from_json(
        {
            "stored_shape": [20, 18, 9 + number],
            "stored_affine": [
                [-1.1, 0.0, 0.0, 0.1 + 0.2],
                [0.0, 1.2, 0.0, -7.0],
                [0.0, 0.0, 5.0, 1 / 3],
                [0, 0, 0, 1.0],
            ],
            "grid": {"size": SIZE, "row_origin": 0.5, "row_scale": 1.25, "column_origin": -1.0, "column_scale": 1.5}
            | {"slices": 9 + number, "slice_origin": 0.0, "slice_scale": 1.0},
            "geometry": "physical",
            "record_spacing_mm": [5.0, 1.5, 1.65],
            "intensity": {"rule": "window:-160:240", "low": -160.0, "high": 240.0},
            "neighbours": neighbours,
        }
    )


def _record(case="chaos-1", domain="mri", split="train", index=3, labelled=True, number=0, neighbours=0) -> SliceRecord:
    rng = np.random.default_rng([index, number])
    return SliceRecord(
        image=rng.uniform(-1, 1, (SIZE, SIZE, 2 * neighbours + 1)[: 3 if neighbours else 2]).astype(np.float32),
        label=rng.integers(0, 5, (SIZE, SIZE), dtype=np.uint8) if labelled else None,
        case=case,
        domain=domain,
        split=split,
        slice_index=index,
        slice_count=9 + number,
        geometry=_geometry(number, neighbours),
    )


@pytest.fixture
def make_record():
    """Function that makes a valid slice; arguments change one thing each."""
    return _record


@pytest.fixture
def write_records(tmp_path):
    """Function that writes a records folder: case, domain, split, labelled, slice indices and shard of each case."""

    def write(*cases, name="records"):
        folder = tmp_path / name
        folder.mkdir()
        count = 1 + max(shard for *_, shard in cases)
        content, entries = {shard_name(i, count): [] for i in range(count)}, []
        for number, (case, domain, split, labelled, indices, shard) in enumerate(cases):
            file = shard_name(shard, count)
            records = [_record(case, domain, split, index, labelled, number) for index in indices]
            content[file].extend(frame(encode(record, ABDOMEN)) for record in records)
            entries.append(
                ManifestCase(
                    case=case,
                    patient=case,
                    domain=domain,
                    dataset=case.split("-")[0],
                    split=split,
                    labelled=labelled,
                    slices=len(indices),
                    slice_count=9 + number,
                    uses_labels_for_selection=False,
                    sha256=hashlib.sha256(case.encode()).hexdigest(),
                    shard=file,
                    geometry=_geometry(number),
                )
            )
        shards = []
        for file, frames in content.items():
            body = b"".join(frames)
            (folder / file).write_bytes(body)
            shards.append(ManifestShard(file, len(frames), len(body), hashlib.sha256(body).hexdigest()))
        manifest = make_manifest(load_task(), {"split": "ratio", "seed": 0}, entries, shards)
        write_manifest(folder, manifest)
        return folder

    return write


@pytest.fixture
def folder(write_records):
    """Two shards; the first holds two cases."""
    return write_records(
        ("malbcv-0001", "ct", "test", True, range(3), 0),
        ("malbcv-0002", "ct", "train", False, (2, 4, 5), 0),
        ("chaos-1", "mri", "train", True, (1, 2), 1),
    )


@pytest.fixture
def rewrite(folder):
    """Function that writes the manifest with other fields and a valid fingerprint."""
    original = read_manifest(folder)

    def change(**changes):
        manifest = dataclasses.replace(original, **changes)
        write_manifest(folder, make_manifest(manifest.task, manifest.options, manifest.cases, manifest.shards))
        return folder

    return change
