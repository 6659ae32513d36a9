"""What the options of a job change in its records."""

import shutil

import numpy as np
import pytest

import beam_preprocess
from attent_tf.data.manifest import read_manifest
from attent_tf.data.reader import read_case_records, read_records
from attent_tf.errors import InputError
from attent_tf.tasks import parse_rule
from attent_tf.volumes import PrepareOptions, measure_case, pool_statistics, prepare
from tests.support.digests import file_digests
from tests.support.jobs import volumes_by_case


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
    rule = parse_rule("zscore:3:body@training")
    options = make_options(mri_intensity=rule, ct_intensity=parse_rule("percentile:1:99@training"))
    manifest = beam_preprocess.run(options, flags)
    volumes = volumes_by_case(options)
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


@pytest.mark.slow
def test_a_description_brings_its_intensity_rule_and_the_user_overrules_it(data, make_options, tmp_path):
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_records_are_replaced_only_where_that_is_asked_for(make_options, tmp_path):
    beam_preprocess.run(make_options())
    with pytest.raises(InputError, match=r"expected a folder without records, found records; .*--overwrite"):
        beam_preprocess.run(make_options(shards=2))
    assert len(read_manifest(tmp_path / "records").shards) == 5
    assert len(beam_preprocess.run(make_options(shards=2, overwrite=True)).shards) == 2
    assert len(file_digests(tmp_path / "records")) == 3
    # What is not a records folder is never replaced.
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a folder that does not exist yet or is empty"):
        beam_preprocess.run(make_options(out=str(tmp_path / "mine"), overwrite=True))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"
