"""`attent segment` and `attent translate` on DICOM folders as people have them."""

import json

import click.testing
import nibabel
import numpy as np
import pytest

from attent_tf.configs import load_config
from attent_tf.methods import get_method
from attent_tf.runs import Run
from attent_tf.runs.run import create_or_check
from attent_tf.tasks import load_task
from attent_tf.volumes import PrepareOptions
from cli.deployed import Deployed
from cli.main import main
from tests.inference.oracle import Oracle
from tests.support.dicom_folders import (
    UID,
    body,
    enhanced_dataset,
    heights,
    write_enhanced,
    write_report,
    write_series,
)

ONE, TWO = body(4, seed=1), body(6, seed=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "to_ct"
    options = PrepareOptions(size=64, pixel_mm=6.0)
    create_or_check(
        Run(folder, get_method("attent"), "mri2ct", load_config("demo"), "f" * 64, options, load_task()), ()
    )
    return folder


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """Puts the oracle in the networks' place, and counts how often a chain is asked for."""
    calls = []

    def open_chain(run, batch_size):
        calls.append(batch_size)
        return Deployed(Oracle(), "an oracle", batch_size or 2)

    monkeypatch.setattr("cli.deployed.open_chain", open_chain)
    return calls


def _attent(*words):
    return click.testing.CliRunner().invoke(main, [str(word) for word in words])


def _two_series(folder):
    write_series(folder, ONE, series="1")
    write_series(folder, TWO, heights(6, 2.5), "2", first=11)
    return folder


@pytest.mark.parametrize("command", ["segment", "translate"])
def test_one_of_several_series_is_taken_by_its_identifier(run, tmp_path, command):
    scan, out, report = _two_series(tmp_path / "scan"), tmp_path / "out.nii.gz", tmp_path / "report.json"
    words = (command, "--run", run, "--input", scan, "--out", out)
    refused = _attent(*words)
    assert refused.exit_code == 1
    assert f"{UID}1 (number 1): 4 slices, {UID}2 (number 2): 6 slices" in refused.stderr
    assert not out.exists()
    done = _attent(*words, "--series", UID + "2", "--report", report)
    assert done.exit_code == 0, done.output
    assert nibabel.load(out).shape == (60, 50, 6)
    (entry,) = json.loads(report.read_text())["scans"]
    assert entry["series"] == UID + "2"


def test_a_series_is_chosen_in_one_folder_only(run, tmp_path, opened):
    _two_series(tmp_path / "scans" / "a")
    write_series(tmp_path / "scans" / "b", ONE)
    words = ("--run", run, "--input", tmp_path / "scans", "--out", tmp_path / "out", "--series", "1")
    result = _attent("segment", *words)
    assert result.exit_code == 1
    assert "--series: expected one DICOM folder in --input, found a folder of 2 scans" in result.stderr
    assert opened == []


def test_no_scan_of_a_folder_is_lost_without_a_word(run, tmp_path):
    scans = tmp_path / "scans"
    write_series(scans / "good", ONE)
    write_series(scans / "strays", ONE, name="IM{:04d}")
    for stray in ("Thumbs.db", "00_note", ".DS_Store"):
        (scans / "strays" / stray).write_bytes(b"x" * 200)
    write_series(scans / "mixed", ONE[:2])
    write_series(scans / "mixed", ONE[2:], [10.0, 15.0], name="IM{:04d}", first=3)
    write_enhanced(scans / "enhanced" / "I1", enhanced_dataset(ONE, heights(4)))
    _two_series(scans / "two")
    write_report(scans / "report" / "SR")
    (scans / "garbage").mkdir()
    (scans / "garbage" / "IM0001.dcm").write_bytes(b"x" * 200)
    (scans / "papers").mkdir()
    (scans / "papers" / "letter").write_bytes(b"Dear colleague, " * 50)
    out = tmp_path / "out"
    result = _attent("segment", "--run", run, "--input", scans, "--out", out, "--report", tmp_path / "report.json")
    assert result.exit_code == 3, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        *("enhanced.nii.gz", "good.nii.gz", "mixed.nii.gz", "strays.nii.gz")
    ]
    labels = {path.name: np.asanyarray(nibabel.load(path).dataobj) for path in out.iterdir()}
    for name, found in labels.items():
        np.testing.assert_array_equal(found, labels["good.nii.gz"], err_msg=name)
    warnings = [line for line in result.stderr.splitlines() if "left out" in line]
    assert warnings == [
        f"Warning: {scans}/strays: left out 2 files that are no slices of the scan: 2 such as 00_note (no DICOM)"
    ]
    content = json.loads((tmp_path / "report.json").read_text())
    reasons = {failed["input"].rpartition("/")[2]: failed["reason"] for failed in content["failed"]}
    assert "found 2 series" in reasons.pop("two")
    assert "found a dose report" in reasons.pop("report")
    assert "IM0001.dcm: expected a DICOM file" in reasons.pop("garbage")
    assert reasons == {}
    (entry,) = [scan for scan in content["scans"] if scan["name"] == "strays"]
    assert entry["warnings"][0] == warnings[0].removeprefix("Warning: ")


def _identify(one, _):
    one.StudyInstanceUID, one.FrameOfReferenceUID = UID + "77", UID + "78"


def _with_segmentation(run, scan, *more):
    out = scan.parent / "labels.nii.gz"
    return _attent("segment", "--run", run, "--input", scan, "--out", out, "--dicom-seg", *more)


@pytest.mark.parametrize("beside", ["a report", "another series"])
def test_a_segmentation_refers_to_the_slices_that_were_read(run, tmp_path, beside):
    import highdicom

    scan = tmp_path / "scan"
    write_series(scan, ONE, edit=_identify)
    if beside == "a report":
        write_report(scan / "SR.dcm")
    else:
        write_series(scan, TWO, heights(6, 2.5), "2", first=11, edit=_identify)
    result = _with_segmentation(run, scan, *(("--series", "1") if beside == "another series" else ()))
    assert result.exit_code == 0, result.output
    seg = highdicom.seg.segread(tmp_path / "labels_seg.dcm")
    (referenced,) = seg.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == UID + "1"
    assert len(referenced.ReferencedInstanceSequence) == 4


@pytest.mark.parametrize("per_frame", [False, True])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_a_segmentation_of_an_enhanced_object_has_each_label_at_its_frame(run, tmp_path, order, per_frame):
    import highdicom

    places = [heights(4)[place] for place in order]
    dataset = enhanced_dataset(ONE[list(order)], places, per_frame=per_frame)
    path = write_enhanced(tmp_path / "scan" / "I1.dcm", dataset)
    result = _with_segmentation(run, path.parent)
    assert result.exit_code == 0, result.output
    labels = np.asanyarray(nibabel.load(tmp_path / "labels.nii.gz").dataobj)
    assert len(np.unique(labels)) > 1
    seg = highdicom.seg.segread(tmp_path / "labels_seg.dcm")
    found = seg.get_pixels_by_source_frame(
        dataset.SOPInstanceUID, [1, 2, 3, 4], combine_segments=True, assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(found, labels.T[list(order)])
    at = {
        float(frame.PlanePositionSequence[0].ImagePositionPatient[2]) for frame in seg.PerFrameFunctionalGroupsSequence
    }
    assert at == {heights(4)[place] for place in range(4) if labels[..., place].any()}


def test_a_segmentation_of_several_enhanced_objects_is_refused_before_work(run, tmp_path, opened):
    write_enhanced(tmp_path / "scan" / "I1.dcm", enhanced_dataset(ONE[:2], heights(2)))
    write_enhanced(tmp_path / "scan" / "I2.dcm", enhanced_dataset(ONE[2:], heights(2, 10.0)))
    result = _with_segmentation(run, tmp_path / "scan")
    assert result.exit_code == 1
    assert (
        "scan: expected one slice per file, or all in one object, for --dicom-seg, found 2 multi-frame objects"
        in result.stderr
    )
    assert opened == []
    assert not (tmp_path / "labels.nii.gz").exists()
