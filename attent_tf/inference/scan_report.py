"""`--report`: what was done to which scan, by what, how long it took, and what was found."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict

import numpy as np

from attent_tf.deployment.model import ModelDescription, TrainedModel
from attent_tf.inference.volumes import Segmentation
from attent_tf.versions import package_versions
from attent_tf.volumes.dicom_files import folder_files

if TYPE_CHECKING:
    from attent_tf.inference.scans import ReadScan

FORMAT = 1


class IntensityFound(TypedDict):
    """The raw values of −1 and +1, and the rule that gave them."""

    rule: str
    low: float
    high: float


class OrganFound(TypedDict):
    """What was found of a structure; no entropy where it was not found."""

    volume_ml: float
    mean_entropy: float | None


class Findings(TypedDict):
    """What was found in a scan."""

    mean_entropy: float
    organs: dict[str, OrganFound]


class ScanEntry(TypedDict):
    """What a report says of a scan."""

    name: str
    input: str
    series: NotRequired[str]
    sha256: str | None
    shape: list[int]
    spacing_mm: list[float]
    intensity: IntensityFound
    outputs: dict[str, str]
    seconds: dict[str, float]
    warnings: list[str]
    postprocessing: NotRequired[dict[str, bool]]
    mean_entropy: NotRequired[float]
    organs: NotRequired[dict[str, OrganFound]]


class FailedEntry(TypedDict):
    """A scan that could not be done: its path, and the line that says why."""

    input: str
    reason: str


class ScansReport(TypedDict):
    """What the file of `--report` says: which model, where it ran, and of each scan what became of it."""

    format: int
    run: ModelDescription
    versions: dict[str, str | None]
    device: str | None
    batch_size: int | None
    seconds: dict[str, float]
    scans: list[ScanEntry]
    failed: list[FailedEntry]


def input_sha256(path: str | os.PathLike[str]) -> str:
    """Returns the SHA-256 of a file, or of a folder: of the lines that `sha256sum` prints of its DICOM files, sorted by name."""
    path = Path(path)
    if not path.is_dir():
        return _sha256(path)
    lines = (f"{_sha256(file)}  {file.name}\n" for file in folder_files(path).dicom)
    return hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()


def volumes_ml(labels: np.ndarray, voxel_ml: float, structures: Sequence[str]) -> dict[str, float]:
    """Returns the volume of each structure in millilitres.

    Args:
      labels: [i, j, k] uint8 class indices.
      voxel_ml: millilitres in a voxel.
      structures: names of the classes from 1.
    """
    counts = np.zeros(256, np.int64)
    # bincount makes 64-bit copies of what it counts, so a plane at a time.
    for plane in np.moveaxis(labels, -1, 0):
        counts += np.bincount(plane.ravel(), minlength=256)
    return {name: int(counts[index]) * voxel_ml for index, name in enumerate(structures, start=1)}


def scan_entry(
    scan: "ReadScan", outputs: Mapping[str, str | os.PathLike[str]], warnings: Sequence[str] = ()
) -> ScanEntry:
    """Returns what the report says of a scan whatever was made of it.

    Args:
      scan: what was read.
      outputs: kind -> path of each file that was written.
      warnings: lines that the user was told beside the scan's own.
    """
    geometry = scan.prepared.geometry
    return {
        "name": scan.name,
        "input": str(scan.path),
        "sha256": scan.digest,
        "shape": list(geometry.stored_shape),
        "spacing_mm": list(geometry.spacing_mm),
        "intensity": {
            "rule": geometry.intensity.rule,
            "low": geometry.intensity.low,
            "high": geometry.intensity.high,
        },
        "outputs": {kind: str(written) for kind, written in outputs.items()},
        "seconds": {phase: round(spent, 3) for phase, spent in scan.watch.seconds.items()},
        "warnings": [*scan.warnings, *warnings],
    }


def findings(answer: Segmentation, volumes: dict[str, float]) -> Findings:
    """Returns what the report says of a segmentation: volumes, and the mean of Eq. 6 over the image and over each structure.

    Args:
      answer: the segmentation.
      volumes: from `volumes_ml`, of the classes from 1 in their order.
    """
    return {
        "mean_entropy": answer.mean_entropy,
        "organs": {
            name: {"volume_ml": volume, "mean_entropy": answer.entropy_of(index)}
            for index, (name, volume) in enumerate(volumes.items(), start=1)
        },
    }


def report(
    run: TrainedModel,
    device: str | None,
    batch_size: int | None,
    seconds: Mapping[str, float],
    scans: list[ScanEntry],
    failed: list[FailedEntry],
) -> ScansReport:
    """Returns the whole report as strict JSON.

    Args:
      run: what the scans went through: a run, or the contract of a model on a server.
      device: on what the networks ran; None if no scan came that far.
      batch_size: slices at once; likewise.
      seconds: `starting` (libraries, weights, graph) and `total` on the wall.
      scans: from `scan_entry`.
      failed: those that could not be done.
    """
    return {
        "format": FORMAT,
        "run": run.describe(),
        "versions": package_versions(),
        "device": device,
        "batch_size": batch_size,
        "seconds": {phase: round(spent, 3) for phase, spent in seconds.items()},
        "scans": scans,
        "failed": failed,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
