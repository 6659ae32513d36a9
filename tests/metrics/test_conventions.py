"""The tables of docs/evaluation-protocols.md, read from the document, against brute force."""

import re
from pathlib import Path

import numpy as np
import pytest

from attent_tf.metrics.protocols import PROTOCOLS, find_protocol
from attent_tf.metrics.scores import METRICS
from attent_tf.metrics.summary import mean_score
from benchmarks import conventions
from tests.support import brute_force, deepmind
from tests.support.abdomen import LIVER, ORGANS

_DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "evaluation-protocols.md").read_text()
_PRINTED = 0.5e-4 + 1e-9


def _table(first_cell):
    """The rows below the head that begins with `first_cell`, as dicts of texts."""
    lines = _DOCUMENT.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"| {first_cell} |"))
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines[start : next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))]
    ]
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def masks():
    return conventions.pair()


def _distances(masks, row, unit):
    """(prediction → reference, reference → prediction) for the volume, or for each slice that has both."""
    spacing = np.array({"voxel": (1.0, 1.0, 1.0), "mm": conventions.SPACING_MM}[unit])
    connectivity = {"6": 1, "26": 3, "4": 1, "8": 2}[row["neighbours"]]
    border = row["beyond the border"]
    if row["measured in"] == "3-D":
        return [brute_force.directed_distances(*masks, spacing, border, connectivity)]
    found = [
        brute_force.directed_distances(p, r, spacing[1:], border, connectivity) for p, r in zip(*masks, strict=True)
    ]
    return [both for both in found if both is not None]


def test_each_assd_of_the_document_is_that_of_brute_force(masks):
    rows = _table("measured in")
    assert len(rows) == 8
    for row in rows:
        for unit in ("voxel", "mm"):
            parts = _distances(masks, row, unit)
            expected = {
                "pooled": np.mean([np.concatenate(both).mean() for both in parts]),
                "mean of directed": np.mean([(there.mean() + back.mean()) / 2 for there, back in parts]),
                "prediction → reference": np.mean([there.mean() for there, _ in parts]),
                "reference → prediction": np.mean([back.mean() for _, back in parts]),
            }
            for way, value in expected.items():
                assert float(row[f"{way}, {unit}"]) == pytest.approx(value, abs=_PRINTED), (row, way, unit)


def test_the_other_measures_of_the_document_are_those_of_other_ways(masks):
    prediction, reference = masks
    values = {row["measure"]: float(row["value"]) for row in _table("measure")}

    def overlap(p, r):
        return 100 * 2 * np.sum(p & r) / (p.sum() + r.sum())

    shown = [overlap(p, r) for p, r in zip(*masks, strict=True) if p.any() or r.any()]
    there, back = brute_force.directed_distances(*masks, conventions.SPACING_MM)
    pooled = np.sort(np.concatenate([there, back]))
    expected = [
        overlap(prediction, reference),
        np.mean(shown),
        (sum(shown) + 100 * (len(prediction) - len(shown))) / len(prediction),
        np.interp(0.95 * (len(pooled) - 1), np.arange(len(pooled)), pooled),
        max(np.percentile(there, 95), np.percentile(back, 95)),
        100 * np.mean(pooled <= conventions.TOLERANCE_MM),
        100 * deepmind.surface_dice(prediction, reference, conventions.TOLERANCE_MM, conventions.SPACING_MM),
    ]
    assert list(values.values()) == pytest.approx(expected, abs=_PRINTED)


def test_protocols_give_the_numbers_that_the_document_ascribes_to_them(masks):
    rows = _table("measured in")
    labels = [np.where(mask, LIVER, 0) for mask in masks]
    for protocol, row, way, units in (
        ("volume_3d", rows[0], "pooled", ("voxel", "mm")),
        ("volume_3d_chaos", rows[2], "pooled", ("voxel", "mm")),
        ("native_3d", rows[0], "pooled", ("mm",)),
        ("released_2d", rows[4], "prediction → reference", ("voxel", "mm")),
    ):
        scores = mean_score(find_protocol(protocol).score(*labels, conventions.SPACING_MM, ORGANS), ORGANS)["liver"]
        for unit in units:
            assert float(row[f"{way}, {unit}"]) == pytest.approx(scores[f"assd_{unit}"], abs=_PRINTED), protocol


def test_the_document_holds_what_the_script_prints():
    assert conventions.tables() in _DOCUMENT


def test_the_document_names_every_protocol_and_metric():
    named = [re.findall(r"`(\w+)`", row["protocol"])[0] for row in _table("protocol")]
    assert named == list(PROTOCOLS)
    metrics = [name for row in _table("in `metrics.json`") for name in re.findall(r"`(\w+)`", row["in `metrics.json`"])]
    assert tuple(metrics) == METRICS


def test_medpy_agrees_with_the_document(masks):
    binary = pytest.importorskip("medpy.metric.binary", reason="medpy has no wheel; install it to compare with it")
    for row in _table("measured in")[:2]:
        connectivity = {"6": 1, "26": 3}[row["neighbours"]]
        for unit, spacing in (("voxel", None), ("mm", conventions.SPACING_MM)):
            value = binary.assd(*masks, voxelspacing=spacing, connectivity=connectivity)
            assert float(row[f"pooled, {unit}"]) == pytest.approx(value, abs=_PRINTED)
