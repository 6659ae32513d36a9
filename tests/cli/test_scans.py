"""`attent segment` and `attent translate` as a user gives them: folders of scans, further files, reports, exit codes."""

import hashlib
import json
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from click.testing import CliRunner
from PIL import Image

from attent_tf.files import write_json
from cli.main import main
from tests.support.abdomen import ORGANS
from tests.support.folders import write_ct, write_mr
from tests.support.loading import loaded_by_commands
from tests.support.oracle_runs import oracle_for_networks, write_oracle_run


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("scans")
    for number, codes in ((1, "LAS"), (2, "ASL")):
        write_ct(place / "malbcv", number, codes, labelled=False)
    write_mr(place / "chaos", 1, upwards=False)
    series = place / "chaos" / "Train_Sets" / "MR" / "1" / "T2SPIR" / "DICOM_anon"
    _identify(series)
    write_oracle_run(place / "to_ct")
    write_oracle_run(place / "to_mri", direction="ct2mri")
    write_oracle_run(place / "plain", method="source_only")
    return place


def _identify(series):
    """Gives slices the identifiers of a series, as every scanner does."""
    study, one, frame = (pydicom.uid.generate_uid() for _ in range(3))
    for path in series.iterdir():
        scan = pydicom.dcmread(path)
        scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.FrameOfReferenceUID = study, one, frame
        scan.save_as(path, enforce_file_format=True)


@pytest.fixture
def cts(place):
    return place / "malbcv" / "RawData" / "Training" / "img"


@pytest.fixture
def series(place):
    return place / "chaos" / "Train_Sets" / "MR" / "1" / "T2SPIR" / "DICOM_anon"


@pytest.fixture
def opened(monkeypatch):
    return oracle_for_networks(monkeypatch)


def _attent(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def _error(result, code=1):
    assert result.exit_code == code, result.output + repr(result.exception)
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


def _voxels(path):
    return np.asanyarray(nibabel.load(path).dataobj)


def test_everything_that_can_be_asked_for_lies_beside_the_labels(place, cts, opened, tmp_path):
    out, report = tmp_path / "labels.nii.gz", tmp_path / "run.json"
    result = _attent(
        *("segment", "--run", place / "to_ct", "--input", cts / "img0001.nii.gz", "--out", out),
        *("--entropy", "--probabilities", "--preview", "--report", report, "--batch-size", "3"),
    )
    assert result.exit_code == 0, result.output
    assert opened == [3]
    kinds = {"labels": "", "entropy": "_entropy", "probabilities": "_probabilities"}
    names = {kind: tmp_path / f"labels{word}.nii.gz" for kind, word in kinds.items()}
    names["preview"] = tmp_path / "labels_preview.png"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in (*names.values(), report)}
    scan = nibabel.load(cts / "img0001.nii.gz")
    for kind in kinds:
        image = nibabel.load(names[kind])
        assert image.shape[:3] == scan.shape
        np.testing.assert_allclose(image.affine, scan.affine, atol=1e-4)
    labels, entropy, shares = (_voxels(names[kind]) for kind in kinds)
    assert shares.shape == (*scan.shape, 5)
    inside = shares.sum(axis=-1) > 0
    np.testing.assert_allclose(shares.sum(axis=-1)[inside], 1, atol=5 * 0.5 / 255)
    # Rounded to bytes, the class of the label is still among the largest.
    at_label = np.take_along_axis(shares, labels[..., None].astype(int), axis=-1)[..., 0]
    assert (at_label[inside] >= shares.max(axis=-1)[inside] - 1.5 / 255).all()
    certain = -(0.9 * np.log(0.9) + 4 * 0.025 * np.log(0.025)) / np.log(5)
    np.testing.assert_allclose(entropy[inside], certain, atol=0.5 / 255 + 1e-6)
    assert inside.any()
    with Image.open(names["preview"]) as sheet:
        assert sheet.width > 1000

    content = json.loads(report.read_text())
    assert content["device"] == "an oracle"
    assert content["batch_size"] == 3
    assert content["run"]["method"], content["run"]["direction"] == ("attent", "mri2ct")
    assert content["run"]["records"] == "f" * 64
    assert content["failed"] == []
    (one,) = content["scans"]
    assert one["sha256"] == hashlib.sha256((cts / "img0001.nii.gz").read_bytes()).hexdigest()
    assert one["outputs"] == {kind: str(path) for kind, path in names.items()}
    assert list(one["seconds"]) == ["reading", "preparing", "network", "resampling", "writing"]
    voxel_ml = 2.0 * 2.0 * 5.0 / 1000
    for index, organ in enumerate(ORGANS, start=1):
        assert one["organs"][organ]["volume_ml"] == pytest.approx(voxel_ml * np.sum(labels == index))
    assert 0 < one["mean_entropy"] < 1


def test_a_folder_of_scans_is_done_but_for_those_that_fail(place, cts, series, opened, tmp_path):
    scans = tmp_path / "scans"
    (scans / "sub").mkdir(parents=True)
    (scans / "a.nii.gz").write_bytes((cts / "img0001.nii.gz").read_bytes())
    (scans / "b.nii.gz").write_bytes((cts / "img0002.nii.gz").read_bytes()[:500])
    (scans / "sub" / "c.nii.gz").write_bytes((cts / "img0002.nii.gz").read_bytes())
    (scans / "mr").symlink_to(series)
    out = tmp_path / "out"
    words = ("--run", place / "to_ct", "--input", scans, "--out", out, "--report", out / "run.json")
    result = _attent("segment", *words, "--entropy")
    assert result.exit_code == 3, result.output
    assert sorted(path.name for path in out.iterdir()) == [
        *("a.nii.gz", "a_entropy.nii.gz", "run.json", "sub_c.nii.gz", "sub_c_entropy.nii.gz")
    ]
    assert len(opened) == 1
    content = json.loads((out / "run.json").read_text())
    assert [scan["name"] for scan in content["scans"]] == ["a", "sub_c"]
    assert [Path(failed["input"]).name for failed in content["failed"]] == ["b.nii.gz", "mr"]
    tail = result.stderr.splitlines()[-3:]
    assert "2 of 4 scans failed" in tail[0]
    assert "b.nii.gz" in tail[1]
    assert "modality MR" in tail[2]


def test_pages_lie_beside_the_labels_and_an_index_leads_to_them(place, cts, opened, tmp_path):
    scans = tmp_path / "DOE JANE"
    scans.mkdir()
    (scans / "a.nii.gz").write_bytes((cts / "img0001.nii.gz").read_bytes())
    (scans / "b.nii.gz").write_bytes((cts / "img0002.nii.gz").read_bytes()[:500])
    out = tmp_path / "out"
    result = _attent("segment", "--run", place / "to_ct", "--input", scans, "--out", out, "--page")
    assert result.exit_code == 3, result.output
    assert sorted(path.name for path in out.iterdir()) == ["a.nii.gz", "a_page.html", "index.html"]
    index, page = ((out / name).read_text() for name in ("index.html", "a_page.html"))
    assert 'href="a_page.html"' in index
    assert "b.nii.gz" in index
    assert "DOE" not in index + page
    liver_ml = np.sum(_voxels(out / "a.nii.gz") == 1) * 2.0 * 2.0 * 5.0 / 1000
    assert f"{liver_ml:.1f}" in page
    assert f"{liver_ml:.1f}" in index


def test_one_scan_has_a_page_without_an_index_and_a_page_that_cannot_be_leaves_no_labels(
    place, series, opened, tmp_path
):
    words = ("segment", "--run", place / "to_mri", "--input", series, "--page")
    assert _attent(*words, "--out", tmp_path / "one" / "labels.nii.gz").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["labels.nii.gz", "labels_page.html"]
    (tmp_path / "two" / "labels_page.html").mkdir(parents=True)
    assert "found a folder" in _error(_attent(*words, "--out", tmp_path / "two" / "labels.nii.gz"))
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["labels_page.html"]


def test_where_all_fail_there_is_no_network_and_the_code_is_1(place, opened, tmp_path):
    (tmp_path / "scans").mkdir()
    for name in ("a", "b"):
        (tmp_path / "scans" / f"{name}.nii.gz").write_bytes(b"nothing")
    result = _attent("segment", "--run", place / "to_ct", "--input", tmp_path / "scans", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert opened == []
    assert not (tmp_path / "out").exists()


def test_the_segmentation_object_holds_the_labels_and_refers_to_the_series(place, series, opened, tmp_path):
    import highdicom

    out = tmp_path / "labels.nii.gz"
    result = _attent("segment", "--run", place / "to_mri", "--input", series, "--out", out, "--dicom-seg")
    assert result.exit_code == 0, result.output
    seg = highdicom.seg.segread(tmp_path / "labels_seg.dcm")
    slices = sorted(
        (pydicom.dcmread(path) for path in series.iterdir()), key=lambda dataset: float(dataset.ImagePositionPatient[2])
    )
    frames = seg.get_pixels_by_source_instance(
        [dataset.SOPInstanceUID for dataset in slices], combine_segments=True, assert_missing_frames_are_empty=True
    )
    labels = _voxels(out)
    assert len(np.unique(labels)) == 5
    # The label map's axes are columns, rows and slices of the series.
    np.testing.assert_array_equal(frames, labels.T)
    assert seg.StudyInstanceUID == slices[0].StudyInstanceUID
    assert seg.FrameOfReferenceUID == slices[0].FrameOfReferenceUID
    assert seg.ReferencedSeriesSequence[0].SeriesInstanceUID == slices[0].SeriesInstanceUID
    named = {}
    for segment in seg.SegmentSequence:
        (kind,) = segment.SegmentedPropertyTypeCodeSequence
        sides = [item.CodeValue for item in kind.get("SegmentedPropertyTypeModifierCodeSequence", [])]
        named[segment.SegmentNumber] = (segment.SegmentLabel, kind.CodingSchemeDesignator, kind.CodeValue, *sides)
    assert named == {
        1: ("Liver", "SCT", "10200004"),
        2: ("Right kidney", "SCT", "64033007", "24028007"),
        3: ("Left kidney", "SCT", "64033007", "7771000"),
        4: ("Spleen", "SCT", "78961009"),
    }


def test_a_segmentation_object_needs_a_series_with_identifiers(place, cts, series, opened, tmp_path):
    words = ("segment", "--run", place / "to_ct", "--input", cts / "img0001.nii.gz", "--dicom-seg")
    line = _error(_attent(*words, "--out", tmp_path / "x.nii.gz"))
    assert "img0001.nii.gz" in line
    assert "--dicom-seg" in line
    other = tmp_path / "other"
    other.mkdir()
    for path in series.iterdir():
        scan = pydicom.dcmread(path)
        scan.SeriesInstanceUID = pydicom.uid.generate_uid()
        scan.save_as(other / path.name, enforce_file_format=True)
    words = ("segment", "--run", place / "to_mri", "--input", other, "--out", tmp_path / "x.nii.gz")
    assert "one SeriesInstanceUID" in _error(_attent(*words, "--dicom-seg"))
    assert opened == []
    assert not (tmp_path / "x.nii.gz").exists()
    assert _attent(*words).exit_code == 0


def test_the_digest_of_a_series_is_that_of_its_digests(place, series, opened, tmp_path):
    words = ("--run", place / "to_mri", "--input", series, "--out", tmp_path / "x.nii", "--report", tmp_path / "r.json")
    assert _attent("segment", *words).exit_code == 0
    told = subprocess.run("sha256sum *.dcm | sha256sum", shell=True, cwd=series, capture_output=True, text=True)
    assert json.loads((tmp_path / "r.json").read_text())["scans"][0]["sha256"] == told.stdout.split()[0]


def test_translate_does_folders_too_and_needs_a_translator(place, cts, opened, tmp_path):
    words = ("--input", cts, "--out", tmp_path / "out", "--report", tmp_path / "run.json")
    assert "no translator" in _error(_attent("translate", "--run", place / "plain", *words))
    assert opened == []
    result = _attent("translate", "--run", place / "to_ct", *words)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["img0001.nii.gz", "img0002.nii.gz"]
    entries = json.loads((tmp_path / "run.json").read_text())["scans"]
    assert [set(entry["outputs"]) for entry in entries] == [{"translation"}] * 2


def test_names_are_refused_before_anything_is_read(place, cts, opened, tmp_path):
    def line(out, source=cts, *more):
        words = ("segment", "--run", tmp_path / "no run", "--input", source, "--out", out, *more)
        return _error(_attent(*words))

    assert "folder of 2 scans" in line(tmp_path / "out.nii.gz")
    assert "taken for scans" in line(cts / "labels")
    assert ".nii" in line(tmp_path / "out", cts / "img0001.nii.gz")
    assert "the scan itself" in line(cts / "img0001.nii.gz", cts / "img0001.nii.gz")
    assert ".json" in line(tmp_path / "out", cts, "--report", tmp_path / "report.txt")
    (tmp_path / "file").touch()
    assert "found the file" in line(tmp_path / "file" / "labels.nii.gz", cts / "img0001.nii.gz")
    for name in ("a.nii.gz", "a_entropy.nii.gz"):
        (tmp_path / "scans").mkdir(exist_ok=True)
        (tmp_path / "scans" / name).touch()
    assert "found two" in line(tmp_path / "out", tmp_path / "scans", "--entropy")
    assert opened == []


@pytest.mark.parametrize("size", ["0", "-1", "many", "2.5"])
def test_a_batch_is_a_whole_number_or_auto(place, cts, size, tmp_path):
    words = ("--run", place / "to_ct", "--input", cts, "--out", tmp_path / "out", "--batch-size", size)
    assert "auto" in _error(_attent("segment", *words), code=2)


@pytest.mark.parametrize("word", ["tpu", "gpu:", "gpu:x", "cpu:0"])
def test_a_device_has_a_name_that_is_known(place, cts, word, tmp_path):
    words = (
        "segment",
        "--run",
        place / "to_ct",
        "--input",
        cts / "img0001.nii.gz",
        "--out",
        tmp_path / "labels.nii.gz",
    )
    result = _attent(*words, "--device", word)
    assert f"expected auto, cpu, gpu, or gpu:N with a number from 0, found '{word}'" in _error(result, 2)


@pytest.mark.parametrize("verb", ["segment", "translate"])
def test_a_device_is_chosen_before_the_networks_are_opened(place, cts, opened, tmp_path, monkeypatch, verb):
    chosen = []
    monkeypatch.setattr("attent_tf.api.chains.use_device", lambda name: chosen.append((name, len(opened))))
    words = (verb, "--run", place / "to_ct", "--input", cts / "img0001.nii.gz", "--out", tmp_path / "out.nii.gz")
    assert _attent(*words, "--device", "gpu:1").exit_code == 0
    assert chosen == [("gpu:1", 0)]
    assert len(opened) == 1


def _ct(path, voxels):
    image = nibabel.Nifti1Image(voxels, np.diag([4.0, 4.0, 5.0, 1.0]))
    image.set_sform(image.affine, code=1)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(
    ("value", "found"),
    [(np.nan, "NaN"), (-1000.0, "a scan with contrast, found -1000 in all voxels")],
    ids=["not a number", "nothing but air"],
)
def test_scans_that_cannot_be_used_are_told_before_networks_are_loaded(place, opened, tmp_path, value, found):
    path = _ct(tmp_path / "scan.nii.gz", np.full((60, 50, 4), value, np.float32))
    out = tmp_path / "out.nii.gz"
    assert found in _error(_attent("segment", "--run", place / "to_ct", "--input", path, "--out", out))
    assert opened == []
    assert not out.exists()


def test_intensities_that_are_no_hounsfield_units_are_warned_of(place, opened, tmp_path):
    voxels = np.zeros((60, 50, 4), np.uint8)
    voxels[10:50, 10:40] = 100 + np.add.outer(np.arange(40), 2 * np.arange(30))[..., None]
    path, report = _ct(tmp_path / "scan.nii.gz", voxels), tmp_path / "run.json"
    words = ("--run", place / "to_ct", "--input", path, "--out", tmp_path / "out.nii.gz", "--report", report)
    result = _attent("segment", *words)
    assert result.exit_code == 0, result.output
    assert f"Warning: {path}: expected Hounsfield units" in result.stderr
    assert "Hounsfield" in json.loads(report.read_text())["scans"][0]["warnings"][0]


def test_a_failed_write_leaves_nothing_behind(place, cts, opened, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("attent_tf.volumes.nifti_writing.np.ndindex", full)
    words = ("--run", place / "to_ct", "--input", cts / "img0001.nii.gz", "--out", tmp_path / "out.nii.gz")
    assert "No space left" in _error(_attent("segment", *words, "--probabilities"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_damaged_input_loads_no_tensorflow(place, tmp_path):
    (tmp_path / "scan.nii.gz").write_bytes(b"nothing")
    words = ["segment", "--run", str(place / "to_ct"), "--input", str(tmp_path / "scan.nii.gz"), "--out", "x.nii.gz"]
    (loaded,) = loaded_by_commands([words])
    assert {"cli.segment", "nibabel"} <= loaded
    assert "tensorflow" not in loaded


def test_an_edited_run_is_told(place, cts, tmp_path):
    write_json(tmp_path / "run.json", {"format": 1})
    words = ("--run", tmp_path, "--input", cts, "--out", tmp_path / "out")
    assert "format" in _error(_attent("segment", *words))
