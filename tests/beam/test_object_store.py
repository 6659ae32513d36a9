"""Records on a file system without folders and without renames in one step."""

import json

import pytest

import beam_preprocess
from attent_tf.data.verify import verify
from attent_tf.errors import InputError
from beam_preprocess import slicing
from tests.support.digests import file_digests
from tests.support.object_store import SCHEME, ObjectStore

OUT = f"{SCHEME}://bucket/site/records"


@pytest.fixture(autouse=True)
def store():
    ObjectStore.objects.clear()
    ObjectStore.history.clear()
    return ObjectStore


def _copied(folder):
    for path, content in ObjectStore.objects.items():
        target = folder / path.removeprefix(f"{OUT}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("flags", [[], ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]])
def test_copied_to_disk_the_records_are_those_of_a_local_job(make_options, tmp_path, flags):
    beam_preprocess.run(make_options(preview=True))
    beam_preprocess.run(make_options(out=OUT, preview=True), flags)
    assert all(path.startswith(f"{OUT}/") for path in ObjectStore.objects)
    copy = _copied(tmp_path / "copy")
    assert file_digests(copy) == file_digests(tmp_path / "records")
    assert len(verify(copy).cases) == 5


def test_the_manifest_comes_last(make_options):
    beam_preprocess.run(make_options(out=OUT + "/"))
    within = [path for kind, path in ObjectStore.history if kind != "delete" and path.startswith(f"{OUT}/")]
    assert within.index(f"{OUT}/manifest.json") == len(within) - 1


@pytest.mark.slow
def test_overwriting_takes_the_manifest_away_first(make_options):
    beam_preprocess.run(make_options(out=OUT, shards=5))
    with pytest.raises(InputError, match="found records; choose another --out, or replace them with --overwrite"):
        beam_preprocess.run(make_options(out=OUT))
    ObjectStore.history.clear()
    beam_preprocess.run(make_options(out=OUT, shards=2, overwrite=True))
    steps = [(kind, path.removeprefix(f"{OUT}/")) for kind, path in ObjectStore.history if path.startswith(f"{OUT}/")]
    assert steps[0] == ("delete", "manifest.json")
    assert steps[-1] == ("rename", "manifest.json")
    # No shard of the first job stays beside those of the second.
    assert {path.removeprefix(f"{OUT}/") for path in ObjectStore.objects} == {
        "manifest.json",
        "slices-00000-of-00002.tfrecord",
        "slices-00001-of-00002.tfrecord",
    }


def test_what_an_interrupted_job_left_is_replaced_on_request(make_options, tmp_path):
    ObjectStore.objects[f"{OUT}/slices-00000-of-00009.tfrecord"] = b"half"
    with pytest.raises(InputError, match="found parts of records that an interrupted job left"):
        beam_preprocess.run(make_options(out=OUT))
    beam_preprocess.run(make_options(out=OUT, overwrite=True))
    assert len(verify(_copied(tmp_path / "copy")).shards) == 5


def test_files_of_others_are_never_deleted(make_options):
    ObjectStore.objects[f"{OUT}/manifest.json"] = b"{}"
    ObjectStore.objects[f"{OUT}/notes/mine.txt"] = b"mine"
    before = dict(ObjectStore.objects)
    with pytest.raises(InputError, match=r"found notes/mine\.txt, which attent preprocess did not write"):
        beam_preprocess.run(make_options(out=OUT, overwrite=True))
    assert ObjectStore.objects == before


def test_a_refused_job_leaves_nothing(make_options, monkeypatch):
    def refused(*_):
        raise InputError("scan.nii", "a scan", "none", "copy it again")

    monkeypatch.setattr(slicing, "read_and_prepare", refused)
    with pytest.raises(InputError, match=r"^scan\.nii: expected a scan, found none; copy it again$"):
        beam_preprocess.run(make_options(out=OUT))
    assert not ObjectStore.objects


def test_reasons_lie_beside_the_records(make_options, monkeypatch):
    read = slicing.read_and_prepare

    def one_refused(planned, options):
        if planned.files.case == "malbcv-0010":
            raise InputError("scan.nii", "a scan", "none", "copy it again")
        return read(planned, options)

    monkeypatch.setattr(slicing, "read_and_prepare", one_refused)
    beam_preprocess.run(make_options(out=OUT, on_error="skip"))
    (line,) = ObjectStore.objects[f"{OUT}/rejected.jsonl"].decode().splitlines()
    assert json.loads(line)["case"] == "malbcv-0010"


def test_a_scheme_that_nobody_knows_is_one_line(make_options):
    with pytest.raises(InputError, match="expected a file system for nowhere://, found none installed; install"):
        beam_preprocess.run(make_options(out="nowhere://bucket/records"))
