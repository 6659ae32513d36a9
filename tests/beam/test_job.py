"""The job from folder to folder: the same bytes however it runs, and the arrays of `prepare`."""

import dataclasses
import json
import os
import random
import shutil

import numpy as np
import pytest

import beam_preprocess
from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records, read_records
from attent_tf.data.verify import verify
from attent_tf.datasets import input_digest
from attent_tf.volumes import prepare
from tests.support.abdomen import CT, MRI
from tests.support.digests import file_digests
from tests.support.folders import SIZE
from tests.support.from_grid import restore_labels
from tests.support.jobs import volumes_by_case


def test_folder_holds_shards_and_manifest_only(made):
    manifest = verify(made[1])
    assert {path.name for path in made[1].iterdir()} == {"manifest.json", *(shard.file for shard in manifest.shards)}
    assert len(manifest.shards) == 5
    assert {case.case: case.split for case in manifest.cases} == {
        "chaos-1": "test",
        "chaos-2": "train",
        "malbcv-0001": "test",
        "malbcv-0002": "train",
        "malbcv-0010": "train",
    }


def test_manifest_holds_no_path(made, data):
    text = (made[1] / "manifest.json").read_text()
    assert str(data) not in text
    assert str(made[1]) not in text
    assert json.loads(text)["options"] == {
        "split": "sifa",
        "seed": 0,
        "slices": "body",
        "preparation": made[0].prepare.with_rules({"mri": MRI.intensity, "ct": CT.intensity}).to_json(),
        "orientation_policy": "strict",
        "shards": 5,
    }


def test_records_are_the_arrays_of_prepare(made):
    options, out = made
    manifest = read_manifest(out)
    for case, volume in volumes_by_case(options).items():
        prepared = prepare(volume, options.prepare)
        records = read_case_records(out, manifest, case)
        for record in records:
            np.testing.assert_array_equal(record.image, prepared.images[record.slice_index])
            np.testing.assert_array_equal(record.label, prepared.labels[record.slice_index])
            assert record.geometry == prepared.geometry
            assert record.slice_count == len(prepared.images)


def test_training_cases_lose_air_and_test_cases_nothing(made):
    out = made[1]
    manifest = read_manifest(out)
    kept = {case.case: [r.slice_index for r in read_case_records(out, manifest, case.case)] for case in manifest.cases}
    # The lowest slice of each CT is air.
    assert kept["malbcv-0001"] == [0, 1, 2, 3, 4, 5]
    assert kept["malbcv-0002"] == kept["malbcv-0010"] == [1, 2, 3, 4, 5]
    assert kept["chaos-1"] == kept["chaos-2"] == [0, 1, 2, 3, 4, 5]
    assert not any(case.uses_labels_for_selection for case in manifest.cases)


def test_volumes_are_put_together_again(made):
    """Liver at the right, on the file's own voxels, in all stored orientations."""
    options, out = made
    manifest = read_manifest(out)
    volumes = volumes_by_case(options)
    assert {volumes[case].axis_codes for case in volumes} == {"LAS", "RPI", "ASL", "LPS", "LPI"}
    for case in manifest.cases:
        volume = volumes[case.case]
        labels = np.zeros((case.slice_count, SIZE, SIZE), np.uint8)
        for record in read_case_records(out, manifest, case.case):
            labels[record.slice_index] = record.label
        restored = restore_labels(labels, case.geometry)
        assert restored.shape == volume.labels.shape
        for organ in (1, 2, 3, 4):
            found, expected = restored == organ, volume.labels == organ
            assert expected.sum() > 100
            assert 2 * (found & expected).sum() / (found.sum() + expected.sum()) >= 0.98


def test_order_of_cases_and_place_of_data_do_not_matter(made, data, make_options, tmp_path, monkeypatch):
    shutil.copytree(data, tmp_path / "elsewhere")
    walk = os.walk

    def shuffled(*arguments, **options):
        for folder, folders, names in walk(*arguments, **options):
            random.Random(3).shuffle(folders)
            random.Random(4).shuffle(names)
            yield folder, folders, names

    monkeypatch.setattr(os, "walk", shuffled)
    options = make_options(mri=str(tmp_path / "elsewhere" / "chaos"), ct=str(tmp_path / "elsewhere" / "malbcv"))
    beam_preprocess.run(options)
    assert file_digests(tmp_path / "records") == file_digests(made[1])


@pytest.mark.slow
def test_worker_processes_write_the_same_bytes(made, make_options, tmp_path):
    lines = []
    flags = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    beam_preprocess.run(make_options(), flags, lines.append)
    assert file_digests(tmp_path / "records") == file_digests(made[1])
    assert lines[-1] == "Counted by the workers: 5 cases, 28 slices"


def test_worker_threads_write_the_same_bytes(made, make_options, tmp_path):
    beam_preprocess.run(make_options(), ["--direct_running_mode=multi_threading", "--direct_num_workers=2"])
    assert file_digests(tmp_path / "records") == file_digests(made[1])


def test_number_of_shards_changes_files_and_nothing_else(made, make_options, tmp_path):
    manifest = beam_preprocess.run(make_options(shards=2))
    assert [shard.file for shard in manifest.shards] == [
        "slices-00000-of-00002.tfrecord",
        "slices-00001-of-00002.tfrecord",
    ]
    by_default, in_two_shards = (
        [record.image.tobytes() for record in read_records(folder, read_manifest(folder), "ct", "train")]
        for folder in (made[1], tmp_path / "records")
    )
    assert by_default == in_two_shards


def test_report_gets_a_line_for_each_case(make_options):
    lines = []
    beam_preprocess.run(make_options(), report=lines.append)
    assert len(lines) == 6
    assert lines[-2].startswith("[5/5] ")
    # Two MR of 6 slices, a test CT of 6, two training CT that lose their slice of air.
    assert lines[-1] == "Counted by the workers: 5 cases, 28 slices"
    assert any("malbcv-0002: ct, train, 5 of 6 slices" in line for line in lines)


def test_digest_sees_voxels_labels_and_place_only(made):
    volume = next(iter(volumes_by_case(made[0]).values()))
    digest = input_digest(volume)
    same = dataclasses.replace(volume, voxels=np.asfortranarray(volume.voxels.astype(np.float64)), case="other")
    assert input_digest(same) == digest
    moved = volume.affine.copy()
    moved[0, 3] += 1
    relabelled = volume.labels.copy()
    relabelled[0, 0, 0] ^= 1
    others = [{"voxels": volume.voxels + 1}, {"affine": moved}, {"labels": relabelled}, {"labels": None}]
    assert digest not in {input_digest(dataclasses.replace(volume, **changes)) for changes in others}
