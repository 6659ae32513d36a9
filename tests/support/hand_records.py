"""Records folders whose slices a test made itself."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from attent_tf.data.manifest import ManifestCase, ManifestShard, make_manifest, shard_name, write_manifest
from attent_tf.data.schema import SliceRecord, encode
from attent_tf.tasks import Task
from attent_tf.tfrecord.framing import frame
from attent_tf.volumes import CaseGeometry, PrepareOptions
from tests.support.abdomen import ABDOMEN


class HandCase(NamedTuple):
    """A case: images [slice, size, size] float32, and labels of that shape or None."""

    case: str
    domain: str
    split: str
    images: np.ndarray
    labels: np.ndarray | None


def write_hand_records(
    folder: Path, cases: Sequence[HandCase], task: Task = ABDOMEN, prepared: PrepareOptions | None = None
) -> Path:
    """Writes cases to a records folder of one shard, as if scans had been prepared (by default options if None)."""
    folder.mkdir(parents=True)
    entries, frames = [], []
    for case in cases:
        geometry = _geometry(case.images)
        for index, image in enumerate(case.images):
            label = None if case.labels is None else case.labels[index]
            place = (case.case, case.domain, case.split, index, len(case.images), geometry)
            frames.append(frame(encode(SliceRecord(image, label, *place), task)))
        entries.append(
            ManifestCase(
                case=case.case,
                patient=case.case,
                domain=case.domain,
                dataset="nifti",
                split=case.split,
                labelled=case.labels is not None,
                slices=len(case.images),
                slice_count=len(case.images),
                uses_labels_for_selection=False,
                sha256="0" * 64,
                shard=shard_name(0, 1),
                geometry=geometry,
            )
        )
    body = b"".join(frames)
    (folder / shard_name(0, 1)).write_bytes(body)
    shard = ManifestShard(shard_name(0, 1), len(frames), len(body), hashlib.sha256(body).hexdigest())
    options = {"split": "file", "preparation": (prepared or PrepareOptions()).to_json()}
    write_manifest(folder, make_manifest(task, options, entries, [shard]))
    return folder


def _geometry(images: np.ndarray) -> CaseGeometry:
    count, size = images.shape[:2]
    return CaseGeometry.from_json(
        {
            "stored_shape": [size, size, count],
            "stored_affine": [[-1.6, 0.0, 0.0, 0.0], [0.0, 1.6, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
            "grid": {"size": size, "row_origin": 0.0, "row_scale": 1.0, "column_origin": 0.0, "column_scale": 1.0}
            | {"slices": count, "slice_origin": 0.0, "slice_scale": 1.0},
            "geometry": "physical",
            "record_spacing_mm": [5.0, 1.6, 1.6],
            "intensity": {"rule": "window:-160:240", "low": -160.0, "high": 240.0},
            "neighbours": 0,
        }
    )
