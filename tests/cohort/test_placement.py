"""Scans of a cohort whose headers contradict themselves, or whose axes are not perpendicular."""

import json

import nibabel
import numpy as np
import pytest

from tests.support.abdomen import CLASS_NAMES, ORGANS
from tests.support.placed_scans import STRAIGHT, TILTED, TILTED_VOXEL_ML, corners_mm, ct_voxels, forms, write_placed

pytestmark = pytest.mark.slow

MOVED = STRAIGHT + np.array([[0, 0, 0, 12.0], [0] * 4, [0] * 4, [0] * 4])


def test_labels_lie_on_their_scan_volumes_are_in_space_and_contradictions_are_told(work, tmp_path):
    scans = tmp_path / "scans"
    write_placed(scans / "tilted.nii.gz", ct_voxels(), TILTED, None, (1, 0))
    moved = write_placed(scans / "moved.nii.gz", ct_voxels(), MOVED, STRAIGHT)
    mirrored = write_placed(scans / "mirrored.nii.gz", ct_voxels(), np.diag([-1.0, 1, 1, 1]) @ STRAIGHT, STRAIGHT)
    names = ("tilted", "moved", "mirrored")
    (tmp_path / "list.csv").write_text("".join(["path\n", *(f"scans/{name}.nii.gz\n" for name in names)]))
    job = work(tmp_path / "list.csv", tmp_path / "out")
    (failed,) = job.outcome.failed
    assert failed["reason"].startswith(f"{mirrored}: expected sform and qform that agree on the patient's directions")
    (line,) = [line for line in job.lines if "sform and qform" in line and line.startswith("Warning: ")]
    assert line.startswith(f"Warning: {moved}: ")
    assert "up to 12 mm apart" in line
    sidecar = json.loads((tmp_path / "out" / "moved.json").read_text())
    assert f"Warning: {sidecar['warnings'][0]}" == line
    for name in ("tilted", "moved"):
        for found, own in zip(forms(tmp_path / "out" / f"{name}.nii.gz"), forms(scans / f"{name}.nii.gz"), strict=True):
            assert (found is None) == (own is None)
            if own is not None:
                np.testing.assert_allclose(corners_mm(found), corners_mm(own), atol=2e-3)
    labels = np.asanyarray(nibabel.load(tmp_path / "out" / "tilted.nii.gz").dataobj)
    organs = json.loads((tmp_path / "out" / "tilted.json").read_text())["organs"]
    assert labels.any()
    for organ in ORGANS:
        voxels = np.count_nonzero(labels == CLASS_NAMES.index(organ))
        assert organs[organ]["volume_ml"] == pytest.approx(TILTED_VOXEL_ML * voxels)
