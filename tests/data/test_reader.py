"""Reading slices and whole cases, and the full check."""

import dataclasses
import hashlib

import numpy as np
import pytest

from attent_tf.data import reader
from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records, read_each_case, read_records
from attent_tf.data.schema import encode
from attent_tf.data.verify import faults, verify
from attent_tf.errors import RecordsError
from attent_tf.tfrecord.framing import frame
from tests.support.abdomen import ABDOMEN
from tests.support.hand_records import HandCase, write_hand_records


def _replace_shard(folder, rewrite, content: bytes):
    """Puts other content into the first shard, and its true size and checksum into the manifest."""
    manifest = read_manifest(folder)
    first = manifest.shards[0]
    (folder / first.file).write_bytes(content)
    changed = dataclasses.replace(first, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    rewrite(shards=(changed, *manifest.shards[1:]))


def test_records_of_a_split_in_case_order(folder):
    manifest = read_manifest(folder)
    found = [(record.case, record.slice_index) for record in read_records(folder, manifest, "ct", "train")]
    assert found == [("malbcv-0002", 2), ("malbcv-0002", 4), ("malbcv-0002", 5)]


def test_a_case_is_found_behind_others(folder, make_record):
    records = read_case_records(folder, read_manifest(folder), "malbcv-0002")
    assert [record.slice_index for record in records] == [2, 4, 5]
    assert all(record.label is None for record in records)
    np.testing.assert_array_equal(records[1].image, make_record(index=4, number=1).image)


def test_cases_beside_each_other_and_apart_are_read_in_order(tmp_path):
    images = np.zeros((2, 16, 16), np.float32)
    splits = ("train", "train", "test", "train", "all")
    cases = [HandCase(f"c{place}", "ct", split, images + place / 10, None) for place, split in enumerate(splits)]
    folder = write_hand_records(tmp_path / "records", cases)
    found = [
        (record.case, record.slice_index, round(float(record.image[0, 0]), 1))
        for record in read_records(folder, read_manifest(folder), "ct", "train")
    ]
    assert found == [(f"c{place}", index, place / 10) for place in (0, 1, 3, 4) for index in (0, 1)]


def test_all_cases_at_one_go_are_the_cases_one_by_one(folder, monkeypatch):
    manifest, opened = read_manifest(folder), []
    wanted = {
        case.case: [r.slice_index for r in read_case_records(folder, manifest, case.case)] for case in manifest.cases
    }
    frames = reader.read_frames
    monkeypatch.setattr(
        reader, "read_frames", lambda file, name, *rest: opened.append(name) or frames(file, name, *rest)
    )
    found = {
        case.case: [record.slice_index for record in records] for case, records in read_each_case(folder, manifest)
    }
    assert list(found) == [case.case for case in manifest.cases]
    assert found == wanted
    assert len(opened) == len(manifest.shards)


def test_shards_without_the_case_are_not_opened(folder):
    manifest = read_manifest(folder)
    (folder / manifest.shards[0].file).unlink()
    assert len(read_case_records(folder, manifest, "chaos-1")) == 2
    assert len(list(read_records(folder, manifest, "mri", "train"))) == 2
    with pytest.raises(RecordsError, match=r"slices-00000-of-00002\.tfrecord: cannot be read"):
        read_case_records(folder, manifest, "malbcv-0001")


def test_unknown_case_and_split_are_named(folder):
    manifest = read_manifest(folder)
    with pytest.raises(RecordsError, match=r"no case 'chaos-2'; it holds malbcv-0001, malbcv-0002, chaos-1"):
        read_case_records(folder, manifest, "chaos-2")
    with pytest.raises(RecordsError, match=r"expected mri cases for 'test', found ct/test, ct/train, mri/train"):
        list(read_records(folder, manifest, "mri", "test"))


def test_verify_passes_a_whole_folder(folder):
    assert verify(folder) == read_manifest(folder)


def test_verify_finds_a_flipped_bit(folder):
    shard = folder / "slices-00000-of-00002.tfrecord"
    content = bytearray(shard.read_bytes())
    content[-100] ^= 1
    shard.write_bytes(content)
    with pytest.raises(RecordsError, match="SHA-256 differs"):
        verify(folder)
    with pytest.raises(RecordsError, match="checksum does not match"):
        list(read_records(folder, read_manifest(folder), "ct", "train"))


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (
            [("malbcv-0001", "test", True, range(3)), ("malbcv-0002", "train", False, (2, 4))],
            "expected 6 records, found 5",
        ),
        ([("malbcv-0001", "test", True, range(3)), ("malbcv-0002", "train", False, (2, 4, 5, 6))], "found 7 or more"),
        ([("malbcv-0001", "test", True, (0, 2, 1)), ("malbcv-0002", "train", False, (2, 4, 5))], "slice 1 comes after"),
        ([("malbcv-0001", "test", True, (0, 1, 1)), ("malbcv-0002", "train", False, (2, 4, 5))], "slice 1 comes after"),
        ([("malbcv-0001", "train", True, range(3)), ("malbcv-0002", "train", False, (2, 4, 5))], "malbcv-0001, test"),
        ([("malbcv-0001", "test", True, range(3)), ("malbcv-0003", "train", False, (2, 4, 5))], "found malbcv-0003"),
        ([("malbcv-0001", "test", True, range(3)), ("malbcv-0002", "train", True, (2, 4, 5))], "malbcv-0002, train"),
    ],
)
def test_verify_finds_records_that_break_the_promise(folder, rewrite, make_record, records, found):
    content = b"".join(
        frame(encode(make_record(case, "ct", split, index, labelled, number), ABDOMEN))
        for number, (case, split, labelled, indices) in enumerate(records)
        for index in indices
    )
    _replace_shard(folder, rewrite, content)
    with pytest.raises(RecordsError, match=found):
        verify(folder)


def test_verify_finds_another_geometry(folder, rewrite):
    manifest = read_manifest(folder)
    swapped = dataclasses.replace(manifest.cases[2], geometry=manifest.cases[0].geometry)
    rewrite(cases=(*manifest.cases[:2], swapped))
    with pytest.raises(RecordsError, match="or another geometry"):
        verify(folder)


def test_verify_finds_one_scan_in_two_splits(folder, rewrite):
    manifest = read_manifest(folder)
    copied = dataclasses.replace(manifest.cases[1], sha256=manifest.cases[0].sha256)
    rewrite(cases=(manifest.cases[0], copied, manifest.cases[2]))
    with pytest.raises(RecordsError, match=r"malbcv-0001 \(test\) and malbcv-0002 \(train\) are the same scan"):
        verify(folder)


def test_verify_finds_two_scans_of_a_patient_in_two_splits(folder, rewrite):
    manifest = read_manifest(folder)
    second = dataclasses.replace(manifest.cases[1], patient=manifest.cases[0].patient)
    rewrite(cases=(manifest.cases[0], second, manifest.cases[2]))
    with pytest.raises(RecordsError, match=r"malbcv-0001 \(test\) and malbcv-0002 \(train\) are one patient"):
        verify(folder)


def test_verify_names_a_shard_that_the_disk_gives_up_on(folder, monkeypatch):
    def broken(file, name):
        raise OSError(5, "Input/output error")
        yield

    monkeypatch.setattr("attent_tf.data.verify.read_frames", broken)
    found = [str(fault) for fault in faults(folder, read_manifest(folder))]
    assert [line.split(":")[0] for line in found] == [str(path) for path in sorted(folder.glob("*.tfrecord"))]
    assert all("cannot be read (Input/output error)" in line for line in found)
