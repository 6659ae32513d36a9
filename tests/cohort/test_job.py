"""The cohort job in this process: what it writes, what it sets aside, what it does not do twice, and what it refuses."""

import errno
import fcntl
import hashlib
import json
import os
import shutil

import click.testing
import nibabel
import numpy as np
import pytest

from attent_tf.cohort import segment
from attent_tf.errors import InputError, RecordsError
from attent_tf.inference.chain import load_chain
from attent_tf.postprocessing import Postprocessing
from attent_tf.volumes import prepare, read_scan
from attent_tf.volumes.orientation import canonical_view
from cli.main import main
from tests.cohort.conftest import results, write_scans, write_small_ct
from tests.support.abdomen import CT
from tests.support.same_answers import assert_same_labels, probabilities_on_scan

pytestmark = pytest.mark.slow


@pytest.fixture
def own(tmp_path):
    """A list of scans that a test may change."""
    return write_scans(tmp_path / "data")


@pytest.fixture
def copied(finished, tmp_path):
    """Results that a test may change; times of change are those of the originals."""
    return shutil.copytree(finished[0], tmp_path / "out")


def _times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_label_maps_equal_those_of_attent_segment_with_the_run(finished, run, listed, tmp_path):
    scan, out = listed.parent / "scans" / "a.nii.gz", tmp_path / "labels.nii.gz"
    words = ["segment", "--run", run.folder, "--input", scan, "--out", out, "--batch-size", 5]
    done = click.testing.CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    found, expected = (nibabel.load(path) for path in (finished[0] / "first.nii.gz", out))
    labels = np.asanyarray(found.dataobj)
    assert len(np.unique(labels)) > 1
    prepared = prepare(read_scan(scan, CT), run.prepare_options)
    probabilities = probabilities_on_scan(load_chain(run), prepared)
    assert_same_labels(labels, np.asanyarray(expected.dataobj), probabilities)
    np.testing.assert_array_equal(found.affine, expected.affine)


def test_a_broken_scan_is_set_aside_and_the_others_are_done(finished, listed):
    out, job = finished
    assert sorted(path.name for path in out.iterdir()) == [
        "b.json", "b.nii.gz", "cohort.csv", "cohort.json", "failed.jsonl", "first.json", "first.nii.gz", "model.json",
    ]  # fmt: skip
    (line,) = (out / "failed.jsonl").read_text().splitlines()
    failed = json.loads(line)
    broken = str(listed.parent / "scans" / "broken.nii.gz")
    assert (failed["case"], failed["path"]) == ("broken", broken)
    assert failed["reason"].startswith(f"{broken}: expected ")
    assert job.outcome.failed == (failed,)
    assert (job.outcome.done, job.outcome.skipped) == (2, 0)
    assert sum("set aside: " in line for line in job.lines) == 1


def test_sidecars_and_manifest_say_what_is_in_the_label_maps(finished, model, listed):
    out, _ = finished
    manifest = json.loads((out / "cohort.json").read_text())
    assert manifest["counts"] == {"scans": 3, "done": 2, "failed": 1}
    assert [case["case"] for case in manifest["cases"]] == ["b", "first"]
    assert manifest["model"]["weights_sha256"] == json.loads((model / "metadata.json").read_text())["training"][
        "weights_sha256"
    ]  # fmt: skip
    rows = (out / "cohort.csv").read_text().splitlines()
    assert rows[0].startswith("case,path,labels,liver_ml,right_kidney_ml,")
    for entry, row in zip(manifest["cases"], rows[1:], strict=True):
        sidecar = json.loads((out / f"{entry['case']}.json").read_text())
        content = (out / sidecar["labels"]["file"]).read_bytes()
        assert sidecar["labels"]["sha256"] == hashlib.sha256(content).hexdigest() == entry["labels"]["sha256"]
        source = (listed.parent / "scans" / f"{entry['case'][0].replace('f', 'a')}.nii.gz").read_bytes()
        assert sidecar["input"]["sha256"] == hashlib.sha256(source).hexdigest()
        assert sidecar["input"]["bytes"] == len(source)
        assert 0 < sidecar["mean_entropy"] <= 1
        assert sidecar["seconds"]["total"] > 0
        labels = np.asanyarray(nibabel.load(out / sidecar["labels"]["file"]).dataobj)
        for index, organ in enumerate(sidecar["organs"], start=1):
            # Voxels of 6 × 6 × 5 mm.
            assert sidecar["organs"][organ]["volume_ml"] == pytest.approx((labels == index).sum() * 0.18)
            assert f"{(labels == index).sum() * 0.18:.3f}" in row


def test_the_model_or_the_user_says_what_is_done_to_label_maps(work, model, listed, finished, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["postprocessing"] |= {"largest_component": True, "fill_holes": True}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    out = tmp_path / "out"
    work(listed, out, model=folder)
    image, plain = (nibabel.load(place / "b.nii.gz") for place in (out, finished[0]))
    labels, plain = (canonical_view(np.asanyarray(stored.dataobj), stored.affine) for stored in (image, plain))
    steps = Postprocessing(True, True)
    np.testing.assert_array_equal(labels, steps(plain))
    assert (labels != plain).any()
    sidecar = json.loads((out / "b.json").read_text())
    assert sidecar["postprocessing"] == sidecar["model"]["postprocessing"] == steps.to_json()
    # Without it, results are those of another model.
    with pytest.raises(InputError, match="another preparation"):
        work(listed, out)
    assert work(listed, out, postprocess=True).outcome.skipped == 2


def test_what_is_complete_is_skipped_and_the_rest_is_tried_again(work, listed, copied, finished):
    before = _times(copied)
    job = work(listed, copied)
    assert (job.outcome.done, job.outcome.skipped, len(job.outcome.failed)) == (2, 2, 1)
    after = _times(copied)
    for name in ("first.nii.gz", "first.json", "b.nii.gz", "b.json"):
        assert after[name] == before[name]
    assert results(copied) == results(finished[0])


def test_without_anything_to_do_no_pipeline_runs(work, own, finished, tmp_path, monkeypatch):
    own.write_text("path,case\nscans/a.nii.gz,first\n")
    out = tmp_path / "out"
    work(own, out)
    manifest = (out / "cohort.json").read_bytes()
    monkeypatch.setattr("beam_preprocess.cohort.job.run_noted", lambda *_: pytest.fail("a pipeline ran"))
    assert work(own, out).outcome.skipped == 1
    assert (out / "cohort.json").read_bytes() == manifest


def test_a_changed_scan_is_done_again_and_a_touched_one_is_not(work, own, tmp_path):
    out, scans = tmp_path / "out", own.parent / "scans"
    work(own, out)
    before = _times(out)
    first = (out / "first.nii.gz").read_bytes()
    os.utime(scans / "b.nii.gz", ns=(0, 0))
    write_small_ct(scans / "a.nii.gz", seed=9)
    job = work(own, out)
    assert (job.outcome.done, job.outcome.skipped) == (2, 0)
    assert _times(out)["b.nii.gz"] == before["b.nii.gz"]
    assert json.loads((out / "b.json").read_text())["input"]["mtime_ns"] == 0
    assert (out / "first.nii.gz").read_bytes() != first
    # A scan that breaks after it was done loses its result.
    (scans / "a.nii.gz").write_bytes(b"no scan")
    job = work(own, out)
    assert (job.outcome.done, job.outcome.skipped, len(job.outcome.failed)) == (1, 1, 2)
    assert not list(out.glob("first.*"))


def test_what_a_killed_job_left_is_neither_a_result_nor_in_the_way(work, listed, copied, finished):
    half = (copied / "b.nii.gz").read_bytes()[:100]
    (copied / ".aside-x-b.nii.gz").write_bytes(half)
    (copied / ".aside-x-b.json").write_text("{")
    (copied / ".work-x").mkdir()
    (copied / ".work-x" / "rejected-0.json").write_text("{}")
    (copied / "b.json").unlink()
    (copied / "first.nii.gz").write_bytes(half)
    job = work(listed, copied)
    assert (job.outcome.done, job.outcome.skipped) == (2, 0)
    assert results(copied) == results(finished[0])


@pytest.fixture
def other_model(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "other")
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["training"]["weights_sha256"] = "f" * 64
    (folder / "metadata.json").write_text(json.dumps(metadata))
    return folder


def test_results_of_another_model_are_refused_or_removed_as_asked(work, listed, copied, finished, other_model):
    with pytest.raises(
        InputError, match=r"out: expected results of the model with weights ffffffffffff, found those of"
    ):
        work(listed, copied, model=other_model)
    assert results(copied) == results(finished[0])
    only_b = listed.with_name("only_b.csv")
    only_b.write_text("path\nscans/b.nii.gz\n")
    assert work(only_b, copied, model=other_model, overwrite=True).outcome.skipped == 0
    assert sorted(path.name for path in copied.iterdir()) == [
        "b.json", "b.nii.gz", "cohort.csv", "cohort.json", "model.json",
    ]  # fmt: skip
    assert json.loads((copied / "cohort.json").read_text())["model"]["weights_sha256"] == "f" * 64


def test_overwriting_does_all_listed_scans_again_and_no_others(work, listed, copied):
    before = _times(copied)
    (listed.parent / "one.csv").write_text("path\nscans/b.nii.gz\n")
    assert work(listed.parent / "one.csv", copied, overwrite=True).outcome.skipped == 0
    after = _times(copied)
    assert after["b.nii.gz"] > before["b.nii.gz"]
    assert after["first.nii.gz"] == before["first.nii.gz"]


def test_folders_that_hold_other_things_are_refused(work, listed, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"expected an empty folder, .* found notes\.txt; choose another --out"):
            work(listed, tmp_path, overwrite=overwrite)
    with pytest.raises(InputError, match="expected a folder apart from the scans"):
        work(listed, listed.parent / "scans")
    with pytest.raises(InputError, match="expected a folder for results, found a file"):
        work(listed, tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_results_that_do_not_come_back_are_an_error_and_no_summary(work, listed, tmp_path, monkeypatch):
    monkeypatch.setattr("beam_preprocess.cohort.job.run_noted", lambda *_: {})
    with pytest.raises(
        RecordsError, match="out: 0 of 3 results came back from the workers; check that all of them see"
    ):
        work(listed, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.json"]


def test_a_second_job_in_the_same_folder_is_refused(work, listed, copied):
    handle = os.open(copied, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(InputError, match="found another job at work in it"):
            work(listed, copied)
    finally:
        os.close(handle)


@pytest.mark.parametrize("code", [errno.EFBIG, errno.ENAMETOOLONG, errno.EIO])
def test_a_result_that_cannot_be_written_sets_its_scan_aside(code, work, listed, tmp_path, monkeypatch):
    write = segment.write_labels

    def limited(path, *words):
        if path.name == "b.nii.gz":
            raise OSError(code, os.strerror(code), str(path))
        write(path, *words)

    monkeypatch.setattr(segment, "write_labels", limited)
    job = work(listed, tmp_path / "out")
    assert (job.outcome.done, len(job.outcome.failed)) == (1, 2)
    reason = next(failed["reason"] for failed in job.outcome.failed if failed["case"] == "b")
    assert reason.startswith(f"{listed.parent / 'scans' / 'b.nii.gz'}: expected a scan that can be read and results")
    assert os.strerror(code).lower() in reason
    assert not list((tmp_path / "out").glob("b.*"))


def test_a_full_disk_ends_the_job_in_one_line(work, listed, tmp_path, monkeypatch):
    def full(path, *_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment, "write_labels", full)
    with pytest.raises(InputError, match=r"out: No space left on device, while working on") as caught:
        work(listed, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.json"]


def test_a_full_disk_without_room_for_a_note_is_one_line_too(work, listed, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment, "write_labels", full)
    monkeypatch.setattr("beam_preprocess.notes.leave", full)
    with pytest.raises(InputError, match="a worker: expected to write what it made, found no space left on device"):
        work(listed, tmp_path / "out")


def test_models_that_cannot_be_used_are_one_line(work, model, listed, tmp_path):
    with pytest.raises(InputError, match=r"nothing: expected a SavedModel .*; give a version folder"):
        work(listed, tmp_path / "out", model=tmp_path / "nothing")
    damaged = shutil.copytree(model, tmp_path / "damaged")
    (damaged / "saved_model.pb").write_bytes(b"\x08\x01garbage")
    with pytest.raises(InputError, match="damaged: expected a SavedModel that TensorFlow can load, found") as caught:
        work(listed, tmp_path / "out", model=damaged)
    assert "\n" not in str(caught.value)
    (damaged / "saved_model.pb").unlink()
    with pytest.raises(InputError, match=r"damaged: expected a SavedModel \(saved_model.pb\), found none"):
        work(listed, tmp_path / "out", model=damaged)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.json"]
