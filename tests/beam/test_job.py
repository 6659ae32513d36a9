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
from attent_tf.datasets import find_cases, input_digest, read_case
from attent_tf.errors import InputError
from attent_tf.volumes import prepare
from beam_preprocess import slicing
from tests.support.abdomen import ABDOMEN, CT, MRI
from tests.support.from_grid import restore_labels
from tests.support.jobs import abdomen_options


def _contents(folder) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def made(data, tmp_path_factory):
    """Options and folder of one ordinary job."""
    from attent_tf.volumes import PrepareOptions

    out = tmp_path_factory.mktemp("made") / "records"
    options = abdomen_options(
        out=str(out), mri=str(data / "chaos"), ct=str(data / "malbcv"), prepare=PrepareOptions(size=144, pixel_mm=2.0)
    )
    beam_preprocess.run(options)
    return options, out


def _volumes(options):
    cases = find_cases(options.folders["mri"], ABDOMEN, "mri") + find_cases(options.folders["ct"], ABDOMEN, "ct")
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
        "preparation": made[0].prepare.with_rules({"mri": MRI.intensity, "ct": CT.intensity}).to_json(),
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
    from attent_tf.tfrecord import framing

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
    digest = input_digest(volume)
    same = dataclasses.replace(volume, voxels=np.asfortranarray(volume.voxels.astype(np.float64)), case="other")
    assert input_digest(same) == digest
    moved = volume.affine.copy()
    moved[0, 3] += 1
    relabelled = volume.labels.copy()
    relabelled[0, 0, 0] ^= 1
    others = [{"voxels": volume.voxels + 1}, {"affine": moved}, {"labels": relabelled}, {"labels": None}]
    assert digest not in {input_digest(dataclasses.replace(volume, **other)) for other in others}


def test_rejected_cases_do_not_change_the_others(make_options, made, damaged, tmp_path):
    """With the plan unchanged, the shards of the other cases have the bytes that they would have had."""
    lines = []
    manifest = beam_preprocess.run(make_options(ct=str(damaged), on_error="skip"), report=lines.append)
    assert [(one.case, one.domain, one.reason) for one in manifest.rejected] == [("malbcv-0002", "ct", "content")]
    undisturbed, found = _contents(made[1]), _contents(tmp_path / "records")
    lost = next(case.shard for case in read_manifest(made[1]).cases if case.case == "malbcv-0002")
    assert {name for name in undisturbed if found.get(name) != undisturbed[name]} == {lost, "manifest.json"}
    # Its shard stays, and holds nothing.
    assert (tmp_path / "records" / lost).stat().st_size == 0
    verify(tmp_path / "records")
    assert any(line.startswith("[") and "set aside: malbcv-0002: " in line for line in lines)
    assert len(list(read_records(tmp_path / "records", manifest, "ct", "train"))) == 5


def test_an_emptied_split_is_a_warning_and_an_emptied_domain_an_error(data, make_options, tmp_path):
    root = tmp_path / "ct"
    shutil.copytree(data / "malbcv", root)
    images = root / "RawData" / "Training" / "img"
    (images / "img0001.nii.gz").write_bytes((images / "img0001.nii.gz").read_bytes()[:5000])
    lines = []
    beam_preprocess.run(make_options(mri=None, ct=str(root), on_error="skip"), report=lines.append)
    assert "Warning: no ct case is left in the split test; all of them were set aside" in lines
    for path in images.iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="expected a ct case that can be used, found none"):
        beam_preprocess.run(make_options(ct=str(root), on_error="skip", out=str(tmp_path / "other")))
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    "flags",
    [
        [],
        pytest.param(
            ["--direct_running_mode=multi_processing", "--direct_num_workers=2"], marks=pytest.mark.slow, id="processes"
        ),
        ["--direct_running_mode=multi_threading", "--direct_num_workers=2"],
    ],
)
def test_training_statistics_come_from_training_cases_alone(make_options, tmp_path, flags):
    from attent_tf.tasks import parse_rule
    from attent_tf.volumes import PrepareOptions, measure_case, pool_statistics

    rule = parse_rule("zscore:3:body@training")
    options = make_options(mri_intensity=rule, ct_intensity=parse_rule("percentile:1:99@training"))
    manifest = beam_preprocess.run(options, flags)
    volumes = _volumes(options)
    expected = pool_statistics([measure_case(volumes["chaos-2"], rule)], rule)
    used = {case.case: case.geometry.intensity for case in manifest.cases}
    # The test case, chaos-1, gets the numbers of the training case.
    assert {(used[case].low, used[case].high) for case in ("chaos-1", "chaos-2")} == {(expected.low, expected.high)}
    assert len({(used[case].low, used[case].high) for case in used if case.startswith("malbcv")}) == 1
    preparation = PrepareOptions.from_json(manifest.options["preparation"])
    assert preparation.unresolved() == ()
    again = prepare(volumes["chaos-1"], preparation)
    for record in read_case_records(tmp_path / "records", manifest, "chaos-1"):
        np.testing.assert_array_equal(record.image, again.images[record.slice_index])


def test_a_list_of_the_users_own_decides_the_split(make_options, tmp_path):
    (tmp_path / "split.yaml").write_text("test: [chaos-2, malbcv-0010]\n")
    manifest = beam_preprocess.run(make_options(split="file", split_file=str(tmp_path / "split.yaml")))
    assert {case.case for case in manifest.cases if case.split == "test"} == {"chaos-2", "malbcv-0010"}


def test_a_description_brings_its_intensity_rule_and_the_user_overrules_it(data, make_options, tmp_path):
    from attent_tf.tasks import parse_rule

    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nmodality: ct\nroot: {data}/malbcv/RawData/Training\nimages: 'img/img{{case}}.nii.gz'\n"
        "labels: 'label/label{case}.nii.gz'\nlabel_values: {spleen: 1, right_kidney: 2, left_kidney: 3, liver: 6}\n"
        "intensity: {kind: window, low: -200, high: 300}\n"
    )
    options = make_options(mri=None, ct=str(tmp_path / "mine.yaml"), split="none")
    manifest = beam_preprocess.run(options)
    assert [case.case for case in manifest.cases] == ["mine-0001", "mine-0002", "mine-0010"]
    assert {(case.geometry.intensity.low, case.geometry.intensity.high) for case in manifest.cases} == {(-200, 300)}
    other = make_options(
        mri=None,
        ct=options.folders["ct"],
        split="none",
        ct_intensity=parse_rule("window:-100:100"),
        out=str(tmp_path / "other"),
    )
    assert {case.geometry.intensity.high for case in beam_preprocess.run(other).cases} == {100}


def test_previews_show_every_case(make_options, tmp_path):
    from PIL import Image

    beam_preprocess.run(make_options(preview=True))
    folder = tmp_path / "records" / "preview"
    page = (folder / "index.html").read_text()
    sheets = sorted(path.name for path in folder.glob("*.png"))
    assert len(sheets) == 5
    assert all(f'src="{name}"' in page for name in sheets)
    assert all(case in page for case in ("chaos-1", "chaos-2", "malbcv-0001", "malbcv-0002", "malbcv-0010"))
    with Image.open(folder / sheets[0]) as picture:
        assert picture.width > 1000


def test_records_are_replaced_only_where_that_is_asked_for(make_options, tmp_path):
    beam_preprocess.run(make_options())
    with pytest.raises(InputError, match=r"expected a folder without records, found records; .*--overwrite"):
        beam_preprocess.run(make_options(shards=2))
    assert len(read_manifest(tmp_path / "records").shards) == 5
    assert len(beam_preprocess.run(make_options(shards=2, overwrite=True)).shards) == 2
    assert len(_contents(tmp_path / "records")) == 3
    # What is not a records folder is never replaced.
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a folder that does not exist yet or is empty"):
        beam_preprocess.run(make_options(out=str(tmp_path / "mine"), overwrite=True))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"


def test_counters_tell_cases_slices_and_reasons(make_options, damaged, monkeypatch):
    from apache_beam.runners.runner import PipelineResult

    results = []
    wait = PipelineResult.wait_until_finish

    def kept(result, *arguments, **options):
        results.append(result)
        return wait(result, *arguments, **options)

    import apache_beam.runners.portability.fn_api_runner.fn_runner as fn_runner

    monkeypatch.setattr(fn_runner.RunnerResult, "wait_until_finish", kept)
    beam_preprocess.run(make_options(ct=str(damaged), on_error="skip"))
    counters = {one.key.metric.name: one.committed for one in results[-1].metrics().query()["counters"]}
    mine = {name: count for name, count in counters.items() if name.startswith(("cases", "slices"))}
    assert mine == {"cases": 4, "slices": 23, "cases_rejected": 1, "cases_rejected_content": 1}
