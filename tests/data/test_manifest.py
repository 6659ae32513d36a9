"""A records folder is whole, or a message says what is wrong with it."""

import dataclasses
import gc
import hashlib
import json
import tracemalloc

import pytest

from attent_tf.data.manifest import make_manifest, read_manifest, write_manifest
from attent_tf.errors import RecordsError
from attent_tf.files import json_bytes


def _edit(folder, change):
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_round_trip(folder):
    manifest = read_manifest(folder)
    assert manifest.schema == 3
    assert [case.case for case in manifest.cases] == ["malbcv-0001", "malbcv-0002", "chaos-1"]
    assert [case.case for case in manifest.select("ct", "train")] == ["malbcv-0002"]
    assert [shard.records for shard in manifest.shards] == [6, 2]
    assert manifest.cases[0].geometry.grid.size == 16


def test_cases_of_the_split_all_serve_both(write_records):
    manifest = read_manifest(
        write_records(("nifti-a", "ct", "all", True, (0,), 0), ("nifti-b", "ct", "all", True, (0,), 0))
    )
    assert manifest.select("ct", "train") == manifest.select("ct", "test") == manifest.cases
    assert manifest.select("mri", "train") == ()


def test_file_has_the_keys_of_the_contract(folder):
    content = json.loads((folder / "manifest.json").read_text())
    assert list(content) == ["schema", "task", "options", "cases", "rejected", "shards", "fingerprint"]
    assert content["cases"][0].keys() == {
        *("case", "patient", "domain", "dataset", "split", "labelled", "slices", "slice_count"),
        *("uses_labels_for_selection", "sha256", "shard", "geometry"),
    }
    assert content["shards"][0].keys() == {"file", "records", "bytes", "sha256"}


def test_missing_folder(tmp_path):
    with pytest.raises(RecordsError, match=r"nowhere: no such folder.*attent preprocess"):
        read_manifest(tmp_path / "nowhere")


def test_missing_manifest(folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(RecordsError, match="not a records folder or an interrupted job"):
        read_manifest(folder)


def test_missing_shard(folder):
    (folder / "slices-00001-of-00002.tfrecord").unlink()
    with pytest.raises(RecordsError, match=r"slices-00001-of-00002\.tfrecord: .*missing"):
        read_manifest(folder)


def test_shard_of_another_size(folder):
    shard = folder / "slices-00001-of-00002.tfrecord"
    size = shard.stat().st_size
    shard.write_bytes(shard.read_bytes()[: size // 2])
    with pytest.raises(
        RecordsError, match=rf"slices-00001-of-00002\.tfrecord: expected {size} bytes, found {size // 2}"
    ):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda content: content.update(schema=7), "expected records of schema 3, found 7; preprocess again"),
        (lambda content: content.pop("schema"), "expected records of schema 3, found None"),
        (lambda content: content.update(extra=1), "unknown key 'extra'; .*; preprocess again"),
        (
            lambda content: content["cases"][1].pop("domain"),
            "cases: entry 1: expected the keys case, patient, .*; domain is missing",
        ),
        (
            lambda content: content["cases"][1].update(slices="3"),
            "cases: entry 1: slices: expected a whole number, found '3'; prep",
        ),
        (lambda content: content["cases"][1].update(labelled=0), "entry 1: labelled: expected true or false, found 0"),
        (
            lambda content: content["cases"][1].update(geometry={}),
            "cases: entry 1: geometry: expected the keys stored_shape, ",
        ),
        (lambda content: content["task"].update(domains={}), "task: domains: expected"),
        (
            lambda content: content["cases"][1].update(split="validation"),
            "split: expected one of train, test, all, found",
        ),
        (lambda content: content.update(cases={}), "cases: expected a list, found {}"),
        (
            lambda content: content["cases"].append(3),
            "cases: entry 3: expected keys such as case, patient, domain, found 3",
        ),
        (lambda content: content["options"].update(seed=5), "does not match its fingerprint"),
        (lambda content: content["cases"][0].update(sha256="0"), "does not match its fingerprint"),
    ],
)
def test_edited_manifests_are_refused(folder, change, found):
    _edit(folder, change)
    with pytest.raises(RecordsError, match=found):
        read_manifest(folder)


def test_text_that_is_no_json_is_refused(folder):
    (folder / "manifest.json").write_text("{")
    with pytest.raises(RecordsError, match="not valid JSON"):
        read_manifest(folder)
    (folder / "manifest.json").write_text("[]")
    with pytest.raises(RecordsError, match=r"expected keys such as schema, task, options, found \[\]"):
        read_manifest(folder)


def test_parts_that_contradict_each_other_are_refused(folder, rewrite):
    manifest = read_manifest(folder)
    first, second, third = manifest.cases
    contradictions = [
        ("a case is listed twice", {"cases": (first, first, third)}),
        ("not listed", {"cases": (first, second, dataclasses.replace(third, shard="slices-00009-of-00010.tfrecord"))}),
        (
            "its numbers of cases and shards do not agree",
            {"cases": (first, dataclasses.replace(second, slices=2), third)},
        ),
        ("unknown domain", {"cases": (dataclasses.replace(first, domain="pet"), second, third)}),
        ("impossible", {"cases": (dataclasses.replace(first, slice_count=2), second, third)}),
        (
            "unexpected name",
            {"shards": (dataclasses.replace(manifest.shards[0], file="../x.tfrecord"), manifest.shards[1])},
        ),
        ("a shard is listed twice", {"shards": (manifest.shards[0],) * 2}),
    ]
    original = (folder / "manifest.json").read_bytes()
    for found, change in contradictions:
        rewrite(**change)
        with pytest.raises(RecordsError, match=found):
            read_manifest(folder)
        (folder / "manifest.json").write_bytes(original)


def test_fingerprint_tells_contents_apart(write_records):
    case = ("chaos-1", "mri", "train", True, (1, 2), 0)
    first, same = (read_manifest(write_records(case, name=name)) for name in "ab")
    changed = read_manifest(write_records(("chaos-1", "mri", "train", True, (1, 3), 0), name="c"))
    assert first.fingerprint == same.fingerprint != changed.fingerprint


def test_bytes_and_fingerprint_are_those_of_the_whole_written_at_once(folder):
    written = (folder / "manifest.json").read_bytes()
    content = json.loads(written)
    assert written == json_bytes(content)
    fingerprint = content.pop("fingerprint")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    assert fingerprint == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.fixture
def garbage_collected_as_usual():
    """Looks for garbage as often as Python does by itself: an indented JSON text leaves cycles behind."""
    kept = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*kept)


@pytest.mark.slow
def test_a_manifest_of_many_cases_is_never_in_memory_as_names_and_values(folder, tmp_path, garbage_collected_as_usual):
    """An entry as JSON's dicts and lists takes some ten kilobytes, of which each case has to be freed of."""
    few, count = read_manifest(folder), 1000
    cases = [
        dataclasses.replace(few.cases[0], case=f"malbcv-{number}", patient=f"p{number}") for number in range(count)
    ]
    shards = [dataclasses.replace(few.shards[0], records=3 * count)]
    many = tmp_path / "many"
    many.mkdir()
    tracemalloc.start()
    try:
        write_manifest(many, make_manifest(few.task, few.options, cases, shards))
        _, writing = tracemalloc.get_traced_memory()
        del cases
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        manifest = read_manifest(many, check_shards=False)
        _, reading = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(manifest.cases) == count
    size = (many / "manifest.json").stat().st_size
    # Writing takes no more than a part of the file, reading its text, for a moment twice, and the entries.
    assert writing < size / 2
    assert reading - before < 3.5 * size
