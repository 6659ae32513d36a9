"""What a records folder holds, in numbers: the fingerprint of its data. Read record by record; NumPy only."""

import collections
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from attent_tf.data.manifest import Manifest, ManifestCase
from attent_tf.data.reader import read_each_case
from attent_tf.data.schema import SliceRecord
from attent_tf.tasks import Task
from attent_tf.volumes import PATIENT, CaseGeometry, middle_channel

_LEVELS = 512  # bins of the histogram from which percentiles come: a fine 1/256 of the range
_PERCENTILES = (1, 25, 50, 75, 99)
_AXES = ("slice", "row", "column")


def folder_statistics(
    folder: str | os.PathLike, manifest: Manifest, report: Callable[[int], None] = lambda _: None
) -> dict[str, Any]:
    """Sums up what the records of a folder hold; reads all of them once.

    Args:
      folder: a records folder.
      manifest: its manifest, from `read_manifest`.
      report: called with the number of records that were read since the last call.

    Returns:
      A JSON object: `schema`, `fingerprint`, `options`, `rejected` (identifiers), `domains` and `cases`.
      A domain has `cases` (count by split), `labelled`, `slices` (records) out of `slice_count`, `spacing_mm` of records and
      `scan_spacing_mm` of the scans they come from ([smallest, median, largest] of slice, row and column distances,
      or null where nobody knows them), `stored_shapes` (smallest and largest), `raw_low` and `raw_high` ([smallest, median,
      largest] raw values of −1 and +1),
      `intensity` (mean, standard deviation and percentiles of images in [−1, 1]) and `organs` (each: cases, slices, share of
      pixels, volume in ml as [smallest, median, largest]).
      A case has its entry of the manifest in short, and volumes in ml. Where nobody knows how large voxels are, it has neither
      these nor a spacing.

    Raises:
      RecordsError: a record is missing or damaged.
    """
    cases, totals = [], {}
    for entry, records in read_each_case(folder, manifest):
        measured = _measure(manifest.task, entry, records)
        totals.setdefault(entry.domain, []).append((entry, measured))
        cases.append(
            {
                "case": entry.case,
                "patient": entry.patient,
                "domain": entry.domain,
                "split": entry.split,
                "slices": entry.slices,
                "slice_count": entry.slice_count,
                "spacing_mm": list(entry.geometry.record_spacing_mm) if _is_placed(entry) else None,
                "raw": [entry.geometry.intensity.low, entry.geometry.intensity.high],
                "organs_ml": measured["ml"] if entry.labelled and _is_placed(entry) else None,
            }
        )
        report(entry.slices)
    return {
        "schema": manifest.schema,
        "fingerprint": manifest.fingerprint,
        "options": manifest.options,
        "rejected": [case.case for case in manifest.rejected],
        "domains": {domain: _domain(manifest.task, members) for domain, members in sorted(totals.items())},
        "cases": cases,
    }


def _measure(task: Task, entry: ManifestCase, records: Iterable[SliceRecord]) -> dict[str, Any]:
    histogram = np.zeros(_LEVELS, np.int64)
    total = squares = 0.0
    pixels = np.zeros(task.num_classes, np.int64)
    slices = np.zeros(task.num_classes, np.int64)
    for record in records:
        image = middle_channel(record.image[..., None] if record.image.ndim == 2 else record.image).astype(np.float64)
        histogram += np.histogram(image, _LEVELS, (-1.0, 1.0))[0]
        total += image.sum()
        squares += (image**2).sum()
        if record.label is not None:
            counts = np.bincount(record.label.ravel(), minlength=task.num_classes)
            pixels += counts
            slices += counts > 0
    ml = entry.geometry.record_voxel_ml
    return {
        "histogram": histogram,
        "total": total,
        "squares": squares,
        "pixels": pixels,
        "slices": slices,
        "ml": {name: float(pixels[index] * ml) for index, name in enumerate(task.structure_names, start=1)},
    }


def _domain(task: Task, members: Sequence[tuple[ManifestCase, dict[str, Any]]]) -> dict[str, Any]:
    entries = [entry for entry, _ in members]
    geometries = [entry.geometry for entry in entries if _is_placed(entry)]
    labelled = [(entry, measured) for entry, measured in members if entry.labelled]
    histogram = sum(measured["histogram"] for _, measured in members)
    count = int(histogram.sum())
    mean = sum(measured["total"] for _, measured in members) / count
    variance = max(0.0, sum(measured["squares"] for _, measured in members) / count - mean**2)
    shapes = sorted(entry.geometry.stored_shape for entry in entries)
    structures = {}
    for index, name in enumerate(task.structure_names, start=1):
        shows = [(entry, measured) for entry, measured in labelled if measured["pixels"][index]]
        volumes = [measured["ml"][name] for entry, measured in shows if _is_placed(entry)]
        shown = sum(int(measured["pixels"].sum()) for _, measured in labelled)
        structures[name] = {
            "cases": len(shows),
            "slices": int(sum(measured["slices"][index] for _, measured in labelled)),
            "pixel_share": sum(int(measured["pixels"][index]) for _, measured in labelled) / shown if shown else None,
            "volume_ml": _range(volumes),
        }
    return {
        "cases": dict(sorted(collections.Counter(entry.split for entry in entries).items())),
        "labelled": len(labelled),
        "slices": sum(entry.slices for entry in entries),
        "slice_count": sum(entry.slice_count for entry in entries),
        "spacing_mm": _ranges([geometry.record_spacing_mm for geometry in geometries]),
        "scan_spacing_mm": _ranges([_scan_spacing_mm(geometry) for geometry in geometries]),
        "stored_shapes": [list(shapes[0]), list(shapes[-1])],
        "raw_low": _range([entry.geometry.intensity.low for entry in entries]),
        "raw_high": _range([entry.geometry.intensity.high for entry in entries]),
        "intensity": {
            "mean": mean,
            "std": float(np.sqrt(variance)),
            "percentiles": {str(point): _percentile(histogram, point) for point in _PERCENTILES},
        },
        "organs": structures,
    }


def _is_placed(entry: ManifestCase) -> bool:
    return entry.geometry.space == PATIENT


def _scan_spacing_mm(geometry: CaseGeometry) -> tuple[float, ...]:
    grid = geometry.grid
    scales = (grid.slice_scale, grid.row_scale, grid.column_scale)
    return tuple(step_mm / abs(scale) for step_mm, scale in zip(geometry.record_spacing_mm, scales, strict=True))


def _ranges(spacings_mm: Sequence[Sequence[float]]) -> dict[str, list[float] | None]:
    return {axis: _range([spacing_mm[place] for spacing_mm in spacings_mm]) for place, axis in enumerate(_AXES)}


def _range(values: Sequence[float]) -> list[float] | None:
    return [float(min(values)), float(np.median(values)), float(max(values))] if values else None


def _percentile(histogram: np.ndarray, point: float) -> float:
    """Middle of the bin in which a percentile lies."""
    place = int(np.searchsorted(np.cumsum(histogram), point / 100 * histogram.sum()))
    return float(-1 + (min(place, _LEVELS - 1) + 0.5) * 2 / _LEVELS)
