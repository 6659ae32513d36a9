"""The job from folder to folder: the same bytes however it runs, the arrays of `prepare`, complete or absent."""

import hashlib
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
from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import InputError
from attent_tf.volumes import prepare, restore_labels
from beam_preprocess import slicing


def _contents(folder) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """Options and folder of one ordinary job."""
    from attent_tf.volumes import PrepareOptions

    out = tmp_path_factory.mktemp("made") / "records"
    options = beam_preprocess.PreprocessOptions(
        out=str(out), mri=str(data / "chaos"), ct=str(data / "malbcv"), prepare=PrepareOptions(size=144, pixel_mm=2.0)
    )
    beam_preprocess.run(options)
    return options, out


def _volumes(options):
    cases = find_cases(options.mri, "mri") + find_cases(options.ct, "ct")
    return {files.case: read_case(files) for files in cases}


def test_folder_holds_shards_and_manifest_only(made):
    manifest = verify(made[1])
    assert set(_contents(made[1])) == {"manifest.json", *(shard.file for shard in manifest.shards)}
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
        "preparation": made[0].prepare.to_json(),
        "orientation_policy": "strict",
        "shards": 5,
    }


def test_records_are_the_arrays_of_prepare(made):
    options, out = made
    manifest = read_manifest(out)
    for case, volume in _volumes(options).items():
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
    volumes = _volumes(options)
    assert {volumes[case].axis_codes for case in volumes} == {"LAS", "RPI", "ASL", "LPS", "LPI"}
    for case in manifest.cases:
        volume = volumes[case.case]
        labels = np.zeros((case.slice_count, 144, 144), np.uint8)
        for record in read_case_records(out, manifest, case.case):
            labels[record.slice_index] = record.label
        restored = restore_labels(labels, case.geometry)
        assert restored.shape == volume.labels.shape
        for organ in (1, 2, 3, 4):
            one, other = restored == organ, volume.labels == organ
            assert other.sum() > 100
            assert 2 * (one & other).sum() / (one.sum() + other.sum()) >= 0.98


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
    assert _contents(tmp_path / "records") == _contents(made[1])


@pytest.mark.slow
def test_worker_processes_write_the_same_bytes(made, make_options, tmp_path):
    lines = []
    flags = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    beam_preprocess.run(make_options(), flags, lines.append)
    assert _contents(tmp_path / "records") == _contents(made[1])
    assert lines[-1] == "Counted by the workers: 5 cases, 28 slices"


def test_worker_threads_write_the_same_bytes(made, make_options, tmp_path):
    beam_preprocess.run(make_options(), ["--direct_running_mode=multi_threading", "--direct_num_workers=2"])
    assert _contents(tmp_path / "records") == _contents(made[1])


def test_number_of_shards_changes_files_and_nothing_else(made, make_options, tmp_path):
    manifest = beam_preprocess.run(make_options(shards=2))
    assert [shard.file for shard in manifest.shards] == [
        "slices-00000-of-00002.tfrecord",
        "slices-00001-of-00002.tfrecord",
    ]
    one, other = (
        [record.image.tobytes() for record in read_records(folder, read_manifest(folder), "ct", "train")]
        for folder in (made[1], tmp_path / "records")
    )
    assert one == other


def test_organs_rule_names_its_use_of_labels(make_options, tmp_path):
    manifest = beam_preprocess.run(make_options(slices="organs"))
    used = {case.case: case.uses_labels_for_selection for case in manifest.cases}
    assert used == {case.case: case.split == "train" for case in manifest.cases}
    for case in manifest.cases:
        records = read_case_records(tmp_path / "records", manifest, case.case)
        assert all(record.label.any() for record in records) == (case.split == "train" or case.domain == "mri")


def test_one_domain_without_labels(data, make_options, tmp_path):
    shutil.copytree(data / "malbcv" / "RawData" / "Training" / "img", tmp_path / "RawData" / "Training" / "img")
    manifest = beam_preprocess.run(make_options(mri=None, ct=str(tmp_path), split="none"))
    assert {(case.domain, case.split, case.labelled) for case in manifest.cases} == {("ct", "all", False)}
    assert [case.slices for case in manifest.cases] == [6, 6, 6]
    records = list(read_records(tmp_path / "records", manifest, "ct", "test"))
    assert len(records) == 18
    assert all(record.label is None for record in records)


def test_report_gets_a_line_for_each_case(make_options):
    lines = []
    beam_preprocess.run(make_options(), report=lines.append)
    assert len(lines) == 6
    assert lines[-2].startswith("[5/5] ")
    # Two MR of 6 slices, a test CT of 6, two training CT that lose their slice of air.
    assert lines[-1] == "Counted by the workers: 5 cases, 28 slices"
    assert any("malbcv-0002: ct, train, 5 of 6 slices" in line for line in lines)


@pytest.fixture
def damaged(data, tmp_path):
    """Copy of the CT folder in which one file is cut off."""
    root = tmp_path / "damaged"
    shutil.copytree(data / "malbcv", root)
    path = root / "RawData" / "Training" / "img" / "img0002.nii.gz"
    path.write_bytes(path.read_bytes()[:5000])
    return root


def test_refused_case_reaches_the_user_as_one_line_and_leaves_nothing(make_options, damaged, tmp_path):
    with pytest.raises(InputError, match=r"img0002\.nii\.gz") as refused:
        beam_preprocess.run(make_options(ct=str(damaged)))
    message = str(refused.value)
    assert "\n" not in message
    assert "while running" not in message
    assert refused.value.__suppress_context__
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_refused_case_comes_back_over_grpc(make_options, damaged, tmp_path):
    with pytest.raises(InputError, match=r"img0002\.nii\.gz") as refused:
        beam_preprocess.run(
            make_options(ct=str(damaged)), ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]
        )
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_defect_in_a_worker_is_no_user_error_and_leaves_nothing(make_options, tmp_path, monkeypatch):
    def defect(*_):
        raise ZeroDivisionError("defect")

    monkeypatch.setattr(slicing, "slice_records", defect)
    with pytest.raises(Exception, match="defect"):
        beam_preprocess.run(make_options())
    assert not list(tmp_path.iterdir())


def test_full_disk_in_a_worker_is_one_line(make_options, tmp_path, monkeypatch):
    from attent_tf.data import framing

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(framing, "frame", full)
    with pytest.raises(InputError, match=r"^(chaos|malbcv)-\d+: No space left on device"):
        beam_preprocess.run(make_options())
    assert not list(tmp_path.iterdir())


def test_existing_folder_is_left_alone(make_options, tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="records: expected a folder that does not exist yet or is empty"):
        beam_preprocess.run(make_options())
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["mine.txt"]


def test_out_below_a_file_is_one_line(make_options, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: cannot be written"):
        beam_preprocess.run(make_options(out=str(tmp_path / "file" / "records")))


def test_same_scan_in_two_splits_is_refused(data, make_options, tmp_path):
    root = tmp_path / "ct"
    shutil.copytree(data / "malbcv", root)
    for kind in ("img", "label"):
        folder = root / "RawData" / "Training" / kind
        shutil.copy(folder / f"{kind}0001.nii.gz", folder / f"{kind}0002.nii.gz")
    with pytest.raises(
        Exception, match=r"img0002.*: expected a scan of its own, found the bytes of .*img0001.*\(malbcv-0001\)"
    ):
        beam_preprocess.run(make_options(mri=None, ct=str(root)))
    assert not (tmp_path / "records").exists()


def test_digest_sees_voxels_labels_and_place_only(made):
    import dataclasses

    volume = next(iter(_volumes(made[0]).values()))
    digest = slicing.input_digest(volume)
    same = dataclasses.replace(volume, voxels=np.asfortranarray(volume.voxels.astype(np.float64)), case="other")
    assert slicing.input_digest(same) == digest
    moved = volume.affine.copy()
    moved[0, 3] += 1
    relabelled = volume.labels.copy()
    relabelled[0, 0, 0] ^= 1
    others = [{"voxels": volume.voxels + 1}, {"affine": moved}, {"labels": relabelled}, {"labels": None}]
    assert digest not in {slicing.input_digest(dataclasses.replace(volume, **other)) for other in others}
