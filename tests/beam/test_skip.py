"""Cases that are set aside: what is said of them, and that nobody else notices."""

import errno
import json
import shutil

import numpy as np
import pytest

import beam_preprocess
from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records
from attent_tf.data.slices import load_slices
from attent_tf.data.verify import verify
from attent_tf.errors import InputError
from attent_tf.shared_folders import LocalFolder
from beam_preprocess import counters, notes, slicing
from beam_preprocess.plan import PlannedCase
from beam_preprocess.survey import survey
from tests.support.digests import file_digests
from tests.support.folders import SIZE


def _image(root, number):
    return root / "RawData" / "Training" / "img" / f"img{number:04d}.nii.gz"


def _cut(root, number):
    """The header is whole, and the voxels are not: only a worker can tell."""
    path = _image(root, number)
    path.write_bytes(path.read_bytes()[:5000])


def _emptied(root, number):
    """No header: told before the job begins."""
    _image(root, number).write_bytes(b"")


@pytest.fixture
def ct(data, tmp_path):
    root = tmp_path / "ct"
    shutil.copytree(data / "malbcv", root)
    return root


@pytest.fixture
def whole(made):
    """Folder of a job of the same data without a fault."""
    return made[1]


def _rejected(out):
    return [json.loads(line) for line in (out / "rejected.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("damage", [_cut, _emptied])
def test_other_cases_are_those_of_a_job_without_the_fault(make_options, ct, whole, tmp_path, damage):
    damage(ct, 2)
    beam_preprocess.run(make_options(ct=str(ct), on_error="skip"))
    out = tmp_path / "records"
    found, reference = verify(out), read_manifest(whole)
    assert found.cases == tuple(case for case in reference.cases if case.case != "malbcv-0002")
    # One case a shard: the shards of all others are the same bytes, and that of the rejected one is empty.
    assert [shard for shard in found.shards if shard.records] == [
        shard for shard in reference.shards if shard.file != "slices-00001-of-00005.tfrecord"
    ]
    (empty,) = [shard for shard in found.shards if not shard.records]
    assert (empty.file, empty.bytes) == ("slices-00001-of-00005.tfrecord", 0)
    (one,) = found.rejected
    assert (one.case, one.domain, one.split) == ("malbcv-0002", "ct", "train")
    assert found.fingerprint != reference.fingerprint


def test_no_case_changes_its_place_because_another_is_refused(make_options, ct):
    """Drawn anew without one case, the split `ratio` would test other patients."""

    def places(seed):
        planned, refused = survey(make_options(mri=None, ct=str(ct), split="ratio", seed=seed)).planned()
        assert [case.files.case for case in refused] == (["malbcv-0002"] if damaged else [])
        return {case.files.case: (case.split, case.position, case.shard) for case in [*planned, *refused]}

    damaged = False
    before = [places(seed) for seed in range(12)]
    _emptied(ct, 2)
    damaged = True
    assert [places(seed) for seed in range(12)] == before
    assert {place["malbcv-0002"][0] for place in before} == {"train", "test"}


def test_reasons_are_written_counted_and_said(make_options, ct, tmp_path):
    _cut(ct, 2)
    lines = []
    beam_preprocess.run(make_options(ct=str(ct), on_error="skip"), report=lines.append)
    (line,) = _rejected(tmp_path / "records")
    assert {key: line[key] for key in ("case", "domain", "split", "reason")} == {
        "case": "malbcv-0002",
        "domain": "ct",
        "split": "train",
        "reason": "content",
    }
    assert line["where"].endswith("img0002.nii.gz")
    assert line["message"] == f"{line['where']}: expected {line['expected']}, found {line['found']}; {line['advice']}"
    assert any("set aside: malbcv-0002: " in said and line["message"] in said for said in lines)
    # Two MR and a test CT of 6 slices, a training CT of 5.
    assert lines[-1] == "Counted by the workers: 4 cases, 23 slices, 1 rejected (content 1)"


def test_cases_refused_before_the_job_are_counted_too(make_options, ct, tmp_path):
    _emptied(ct, 2)
    lines = []
    manifest = beam_preprocess.run(make_options(ct=str(ct), on_error="skip"), report=lines.append)
    (one,) = manifest.rejected
    assert lines[-1] == f"Counted by the workers: 4 cases, 23 slices, 1 rejected ({one.reason} 1)"
    assert {line["split"] for line in _rejected(tmp_path / "records")} == {"train"}


@pytest.mark.parametrize(
    "flags",
    [
        ["--direct_running_mode=multi_threading", "--direct_num_workers=2"],
        pytest.param(
            ["--direct_running_mode=multi_processing", "--direct_num_workers=2"], marks=pytest.mark.slow, id="processes"
        ),
    ],
)
def test_workers_of_any_kind_write_the_same_bytes(make_options, ct, tmp_path, flags):
    _cut(ct, 2)
    plain, by_workers = tmp_path / "one", tmp_path / "other"
    beam_preprocess.run(make_options(ct=str(ct), out=str(plain), on_error="skip"))
    beam_preprocess.run(make_options(ct=str(ct), out=str(by_workers), on_error="skip"), flags)
    assert file_digests(plain) == file_digests(by_workers)
    assert "rejected.jsonl" in file_digests(plain)


def test_readers_cope_with_an_empty_shard(make_options, ct, tmp_path):
    _cut(ct, 2)
    out = tmp_path / "records"
    manifest = beam_preprocess.run(make_options(ct=str(ct), on_error="skip"))
    assert len(load_slices(out, manifest, "ct", "train", SIZE, labels=True)) == 5
    assert len(read_case_records(out, manifest, "malbcv-0010")) == 5


@pytest.mark.slow
def test_tensorflow_reads_an_empty_shard_as_no_records(make_options, ct, tmp_path):
    tf = pytest.importorskip("tensorflow")
    _cut(ct, 2)
    manifest = beam_preprocess.run(make_options(ct=str(ct), on_error="skip"))
    counts = [
        sum(1 for _ in tf.data.TFRecordDataset(str(tmp_path / "records" / shard.file))) for shard in manifest.shards
    ]
    assert counts == [shard.records for shard in manifest.shards]
    assert counts.count(0) == 1


@pytest.mark.parametrize("damage", [_cut, _emptied])
def test_an_emptied_split_is_a_warning(make_options, ct, tmp_path, damage):
    damage(ct, 1)
    lines = []
    manifest = beam_preprocess.run(make_options(ct=str(ct), on_error="skip"), report=lines.append)
    assert "Warning: no ct case is left in the split test; all of them were set aside" in lines
    assert {case.split for case in manifest.select("ct", "train")} == {"train"}
    assert not manifest.select("ct", "test")


@pytest.mark.parametrize("damage", [_cut, _emptied])
def test_a_domain_without_any_case_left_is_refused(make_options, ct, tmp_path, damage):
    for number in (1, 2, 10):
        damage(ct, number)
    with pytest.raises(InputError, match=r"expected a ct case that can be used, found none \(the first: .*img00"):
        beam_preprocess.run(make_options(ct=str(ct), on_error="skip"))
    assert [path.name for path in tmp_path.iterdir()] == ["ct"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EMFILE])
def test_a_fault_of_the_machine_is_not_laid_on_the_case(make_options, tmp_path, monkeypatch, code):
    read = slicing.read_and_prepare

    def full(planned, options):
        if planned.files.case == "malbcv-0010":
            raise OSError(code, "the machine cannot")
        return read(planned, options)

    monkeypatch.setattr(slicing, "read_and_prepare", full)
    with pytest.raises(InputError, match=r"^malbcv-0010: the machine cannot"):
        beam_preprocess.run(make_options(on_error="skip"))
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_read_is_set_aside(make_options, tmp_path, monkeypatch):
    read = slicing.read_and_prepare

    def refused(planned, options):
        if planned.files.case == "chaos-2":
            raise OSError(errno.EACCES, "Permission denied", "scan.dcm")
        return read(planned, options)

    monkeypatch.setattr(slicing, "read_and_prepare", refused)
    beam_preprocess.run(make_options(on_error="skip"))
    (line,) = _rejected(tmp_path / "records")
    assert line["case"] == "chaos-2"
    assert line["message"].startswith("scan.dcm: Permission denied, while working on chaos-2")


def test_a_defect_is_never_set_aside(make_options, tmp_path, monkeypatch):
    """Nor does a case that was set aside before it take the blame."""

    def defect(planned, _):
        if planned.files.case == "malbcv-0010":
            raise ZeroDivisionError("defect")
        raise InputError("scan.nii", "a scan", "none", "copy it again")

    monkeypatch.setattr(slicing, "read_and_prepare", defect)
    with pytest.raises(Exception, match="defect"):
        beam_preprocess.run(make_options(on_error="skip"))
    assert not list(tmp_path.iterdir())


def test_work_that_is_done_twice_rejects_the_case_again(tmp_path, make_options, monkeypatch):
    """A runner repeats a bundle of which another case failed; the first reason stands, or a case would be in both lists."""
    from beam_preprocess.transforms import StageCase

    work = LocalFolder(tmp_path)
    planned = PlannedCase(type("Files", (), {"case": "chaos-1", "domain": "mri"})(), "train", "body", 3, "shard")
    stage = StageCase(make_options(on_error="skip"), work, work)
    stage.setup()

    def refused(*_):
        raise InputError("scan.nii", "a scan", "none", "copy it again")

    monkeypatch.setattr(slicing, "read_and_prepare", refused)
    assert list(stage.process(planned)) == [("shard", (3, 0))]

    def unexpected(*_):
        raise AssertionError("worked on again")

    monkeypatch.setattr(slicing, "read_and_prepare", unexpected)
    assert list(stage.process(planned)) == [("shard", (3, 0))]
    assert len(notes.collect(work, notes.REJECTED)) == 1


def test_runners_without_counters_are_passed_over():
    class Result:
        def metrics(self):
            raise NotImplementedError

    assert counters.read_counters(Result()) == {}


def test_the_split_of_a_rejected_case_is_in_the_fingerprint(make_options, ct, tmp_path):
    from attent_tf.data.manifest import RejectedCase, make_manifest

    _cut(ct, 2)
    manifest = beam_preprocess.run(make_options(ct=str(ct), on_error="skip"))
    (rejected,) = manifest.rejected
    elsewhere = RejectedCase(rejected.case, rejected.domain, "test", rejected.reason)
    made = [
        make_manifest(manifest.task, manifest.options, manifest.cases, manifest.shards, [case])
        for case in (rejected, elsewhere)
    ]
    assert made[0] == manifest
    assert made[1].fingerprint != manifest.fingerprint


@pytest.mark.slow
def test_arrays_of_the_others_are_the_same(make_options, ct, whole, tmp_path):
    _cut(ct, 2)
    manifest = beam_preprocess.run(make_options(ct=str(ct), on_error="skip", shards=2))
    for case in manifest.cases:
        remaining = read_case_records(tmp_path / "records", manifest, case.case)
        undisturbed = read_case_records(whole, read_manifest(whole), case.case)
        np.testing.assert_array_equal([r.image for r in remaining], [r.image for r in undisturbed])
