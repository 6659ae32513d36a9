"""What commands write lies on the scan for readers of the sform and for those of the qform, whatever the scan's own says."""

import json

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner

import beam_preprocess
from attent_tf.volumes import PrepareOptions
from cli.main import main
from tests.inference.oracle import Oracle
from tests.support.abdomen import CLASS_NAMES, ORGANS
from tests.support.brute_force import surface
from tests.support.jobs import abdomen_options
from tests.support.oracle_runs import oracle_for_networks, write_oracle_run
from tests.support.placed_scans import (
    STRAIGHT,
    TILTED,
    TILTED_VOXEL_ML,
    corners_mm,
    ct_voxels,
    forms,
    write_placed,
    write_tilted_series,
)


def _moved(by_mm):
    affine = STRAIGHT.copy()
    affine[0, 3] += by_mm
    return affine


MIRRORED = np.diag([-1.0, 1.0, 1.0, 1.0]) @ STRAIGHT
OBLIQUE = np.array([[6.0, 0, 0, -177], [0, 4.8, -3.0, -147], [0, 3.6, 4.0, -12.5], [0, 0, 0, 1]])

# name: sform, qform, codes, and what is said of it.
SCANS = {
    "sform alone": (STRAIGHT, None, (1, 1), None),
    "qform alone": (None, STRAIGHT, (1, 1), None),
    "oblique": (OBLIQUE, OBLIQUE, (2, 1), None),
    "sheared sform": (TILTED, None, (2, 0), None),
    "half a millimetre": (_moved(0.5), STRAIGHT, (4, 2), None),
    "moved": (_moved(30), STRAIGHT, (1, 1), "corners up to 30 mm apart"),
    # The nearest qform shares the tilt of 36.87° out between both axes: the column of 49 × 6 mm ends 2 × 294 × sin(18.43°/2) off.
    "sheared sform beside a qform": (TILTED, TILTED, (1, 1), "corners up to 94.2 mm apart"),
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    oracle_for_networks(monkeypatch)
    return write_oracle_run(tmp_path / "run")


def _attent(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def _write_all(run, scan, out, *more):
    """Segments and translates a scan with all that can be asked for; returns the files and what was said."""
    result = _attent(
        *("segment", "--run", run, "--input", scan, "--out", out / "labels.nii.gz", *more),
        *("--entropy", "--probabilities", "--report", out / "report.json"),
    )
    assert result.exit_code == 0, result.output
    done = _attent("translate", "--run", run, "--input", scan, "--out", out / "as_mri.nii.gz", *more)
    assert done.exit_code == 0, done.output
    assert done.stderr.count("Warning: ") == result.stderr.count("Warning: ")
    names = ("labels", "labels_entropy", "labels_probabilities", "as_mri")
    return [out / f"{name}.nii.gz" for name in names], result


@pytest.mark.parametrize("name", SCANS)
def test_every_file_has_the_corners_of_the_scan_in_both_forms(run, tmp_path, name):
    sform, qform, codes, said = SCANS[name]
    scan = write_placed(tmp_path / "scan.nii", ct_voxels(), sform, qform, codes)
    expected = forms(scan)
    written, result = _write_all(run, scan, tmp_path)
    for path in written:
        for found, own in zip(forms(path), expected, strict=True):
            assert (found is None) == (own is None), path.name
            if own is not None:
                np.testing.assert_allclose(corners_mm(found), corners_mm(own), atol=2e-3)
        header, own = nibabel.load(path).header, nibabel.load(scan).header
        for code in ("sform_code", "qform_code"):
            assert header[code] == own[code]
    warned = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert len(warned) == (said is not None)
    if said is not None:
        assert warned[0].startswith(f"Warning: {scan}: expected sform and qform that agree, found that ")
        assert said in warned[0]


def test_a_mirrored_form_is_refused_until_the_sform_is_chosen(run, tmp_path):
    scan = write_placed(tmp_path / "scan.nii", ct_voxels(), MIRRORED, STRAIGHT)
    for verb in ("segment", "translate"):
        result = _attent(verb, "--run", run, "--input", scan, "--out", tmp_path / "out.nii.gz")
        assert result.exit_code == 1
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        # x runs from -177 to 177 in one form and the other way in the other.
        assert f"{scan}: expected sform and qform that agree on the patient's directions" in line
        assert "mirrors or turns the other, with corners up to 354 mm apart" in line
        assert not (tmp_path / "out.nii.gz").exists()
    written, result = _write_all(run, scan, tmp_path, "--orientation-policy", "trust_affine")
    assert "corners up to 354 mm apart, and mirror or turn it" in result.stderr
    for path in written:
        for found, own in zip(forms(path), (MIRRORED, STRAIGHT), strict=True):
            np.testing.assert_allclose(corners_mm(found), corners_mm(own), atol=2e-3)


def test_a_series_with_a_tilted_gantry_gets_no_qform_and_its_volumes_are_those_of_its_voxels(run, tmp_path):
    series = write_tilted_series(tmp_path / "series", ct_voxels())
    written, result = _write_all(run, series, tmp_path)
    for path in written:
        sform, qform = forms(path)
        assert qform is None
        np.testing.assert_allclose(corners_mm(sform), corners_mm(TILTED), atol=1e-4)
    labels = np.asanyarray(nibabel.load(written[0]).dataobj)
    organs = json.loads((tmp_path / "report.json").read_text())["scans"][0]["organs"]
    found = 0
    for organ in ORGANS:
        voxels = np.count_nonzero(labels == CLASS_NAMES.index(organ))
        found += voxels
        assert organs[organ]["volume_ml"] == pytest.approx(TILTED_VOXEL_ML * voxels)
        assert f"{organ.replace('_', ' '):13s}{TILTED_VOXEL_ML * voxels:8.0f} mL" in result.stdout
    assert found > 1000


def _evaluate(folder, *more):
    sides = ("--predictions", folder / "predictions", "--references", folder / "references")
    result = _attent("evaluate", *sides, "--out", folder / "out", *more)
    return result, json.loads((folder / "out" / "metrics.json").read_text())


def _boxes(shift=0):
    """Of each organ a box of 4 × 4 × 3 voxels, `shift` further along the second axis."""
    labels = np.zeros(ct_voxels().shape, np.uint8)
    for organ, first in enumerate((4, 14, 24, 34), start=1):
        labels[first : first + 4, 10 + shift : 14 + shift, 1:4] = organ
    return labels


def test_label_files_that_contradict_themselves_are_told_and_mirrored_ones_are_failures(tmp_path):
    for case, prediction, reference in (
        ("good", (STRAIGHT, STRAIGHT), (STRAIGHT, STRAIGHT)),
        ("moved", (STRAIGHT, _moved(7)), (STRAIGHT, _moved(30))),
        ("mirrored", (STRAIGHT, MIRRORED), (STRAIGHT, STRAIGHT)),
    ):
        for side, placed in (("predictions", prediction), ("references", reference)):
            write_placed(tmp_path / side / f"{case}.nii.gz", _boxes(), *placed)
    result, metrics = _evaluate(tmp_path)
    assert result.exit_code == 3
    warned = [line for line in result.stderr.splitlines() if line.startswith("Warning: ")]
    assert warned == [f"Warning: {line}" for line in metrics["warnings"]]
    for line, side, far in zip(warned, ("references", "predictions"), (30, 7), strict=True):
        assert line.startswith(f"Warning: {tmp_path}/{side}/moved.nii.gz: ")
        assert f"up to {far} mm apart" in line
    (failure,) = metrics["failures"]
    assert failure["problem"].startswith(f"{tmp_path}/predictions/mirrored.nii.gz: expected sform and qform that agree")
    assert [case["liver"]["dice"] for case in metrics["cases"]] == [100.0, 0.0, 100.0]


@pytest.mark.parametrize("protocol", ["volume_3d", "native_3d"])
def test_label_files_on_a_tilted_grid_are_measured_in_space(tmp_path, protocol):
    write_placed(tmp_path / "predictions" / "a.nii.gz", _boxes(10), TILTED, None, (1, 0))
    write_placed(tmp_path / "references" / "a.nii.gz", _boxes(), TILTED, None, (1, 0))
    result, metrics = _evaluate(tmp_path, "--protocol", protocol)
    assert result.exit_code == 0, result.output
    (case,) = metrics["cases"]
    assert case["spacing_mm"] == pytest.approx([5, 6, 6])
    # Steps along slices, rows and columns, which run upwards, to the back and to the left: RAS+ in each column.
    np.testing.assert_allclose(case["axes_mm"], [[0, 0, -6], [0, -4.8, 0], [5, -3.6, 0]], atol=1e-6)
    # 48 voxels of 0.144 mL.
    assert case["volume_ml"]["liver"]["reference"] == pytest.approx(6.912)
    masks = [_boxes(shift) == 1 for shift in (10, 0)]
    assert case["liver"]["assd_mm"] == pytest.approx(_assd_in_space(*masks, TILTED))


def _assd_in_space(first, second, affine):
    """Over all pairs of surface voxels, in millimetres of the patient."""
    points = [np.argwhere(surface(mask)) @ affine[:3, :3].T for mask in (first, second)]
    apart = np.linalg.norm(points[0][:, None] - points[1][None], axis=-1)
    return np.concatenate([apart.min(axis=0), apart.min(axis=1)]).mean()


@pytest.mark.slow
def test_a_run_is_scored_on_a_tilted_scan_in_space_and_told_what_its_header_says(tmp_path, monkeypatch):
    """The scan's qform is that of a grid with right angles."""
    path = write_placed(tmp_path / "data" / "images" / "a.nii.gz", ct_voxels(), TILTED, TILTED)
    liver = np.zeros(ct_voxels().shape, np.uint8)
    liver[40:44, 20:24, 1:4] = 1
    write_placed(tmp_path / "data" / "labels" / "a.nii.gz", liver, TILTED, None, (1, 0))
    options = PrepareOptions(size=64, pixel_mm=6.0)
    beam_preprocess.run(
        abdomen_options(str(tmp_path / "records"), ct=str(tmp_path / "data"), split="none", prepare=options)
    )
    folder = write_oracle_run(tmp_path / "run", options=options)
    monkeypatch.setattr("attent_tf.inference.evaluate.load_chain", lambda run: Oracle())
    for protocol, more in (("volume_3d", ()), ("native_3d", ("--scans", tmp_path / "data"))):
        out = tmp_path / protocol
        words = ("evaluate", "--run", folder, "--records", tmp_path / "records", "--out", out, "--protocol", protocol)
        result = _attent(*words, *more)
        assert result.exit_code == 0, result.output
        assert (f"Warning: {path}: expected sform and qform that agree" in result.stderr) == (protocol == "native_3d")
        (case,) = json.loads((out / "metrics.json").read_text())["cases"]
        # Pixels of 6 mm are the scan's own, so that both grids measure the same.
        assert case["volume_ml"]["liver"]["reference"] == pytest.approx(6.912)
        np.testing.assert_allclose(case["axes_mm"], [[0, 0, -6], [0, -4.8, 0], [5, -3.6, 0]], atol=1e-5)
