"""Folders in nnU-Net's raw layout: recognised, read by their `dataset.json`, and refused in one line that names file and key."""

import json
import re

import nibabel
import numpy as np
import pytest

from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import InputError
from attent_tf.tasks import task_from_mapping

TASK = task_from_mapping(
    {"name": "head", "structures": ["tumour", "left_cochlea"], "domains": {"t1": "mri", "ct": "ct"}}, "head"
)
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
DATASET = {
    "channel_names": {"0": "T1"},
    "labels": {"background": 0, "Left cochlea": 1, "tumour": 2, "nerve": 3},
    "numTraining": 2,
    "file_ending": ".nii.gz",
}


def _write(
    root, numbers=(0, 1, 2, 3), channels=1, images="imagesTr", labels="labelsTr", cases=("a_01", "b"), **changed
):
    """Writes a folder; keys of `changed` take the place of those of `DATASET`, and None leaves one out."""
    content = {key: value for key, value in (DATASET | changed).items() if value is not None}
    (root / images).mkdir(parents=True, exist_ok=True)
    (root / "dataset.json").write_text(json.dumps(content))
    values = np.resize(np.array(numbers, np.uint8), (4, 4, 4))
    for case in cases:
        for channel in range(channels):
            scan = nibabel.Nifti1Image(values.astype(np.int16) * 10 + channel, AFFINE)
            nibabel.save(scan, root / images / f"{case}_{channel:04d}.nii.gz")
        if labels:
            (root / labels).mkdir(exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(values, AFFINE), root / labels / f"{case}.nii.gz")
    return root


def _refused(root, domain="t1", dataset=None):
    with pytest.raises(InputError) as caught:
        find_cases(root, TASK, domain, dataset)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_folder_is_recognised_and_its_numbers_become_the_classes_of_the_task(tmp_path):
    cases = find_cases(_write(tmp_path), TASK, "t1")
    assert [(files.case, files.patient) for files in cases] == [
        ("nnunet-t1-a_01", "nnunet-a_01"),
        ("nnunet-t1-b", "nnunet-b"),
    ]
    volume = read_case(cases[0])
    # Its 1 is the cochlea, class 2; its 2 is the tumour, class 1; its 3 is no structure of the task.
    np.testing.assert_array_equal(volume.labels.ravel()[:4], [0, 2, 1, 0])
    np.testing.assert_array_equal(volume.voxels.ravel()[:4], [0, 10, 20, 30])
    np.testing.assert_array_equal(volume.affine, AFFINE)


def test_two_such_folders_may_hold_the_same_names(tmp_path):
    names = {files.case for domain in ("t1", "ct") for files in find_cases(_write(tmp_path / domain), TASK, domain)}
    assert len(names) == 4


def test_a_region_is_all_of_its_numbers(tmp_path):
    regions = {"background": 0, "tumour": [2, 3], "left_cochlea": [1], "core": [3]}
    (files, _) = find_cases(_regions(tmp_path, regions), TASK, "t1")
    np.testing.assert_array_equal(read_case(files).labels.ravel()[:4], [0, 2, 1, 1])


def _regions(root, regions):
    _write(root)
    (root / "dataset.json").write_text(json.dumps(DATASET | {"labels": regions}))
    return root


def test_regions_of_the_task_that_share_a_number_are_refused(tmp_path):
    line = _refused(_regions(tmp_path, {"background": 0, "tumour": [1, 2], "left_cochlea": [2, 3]}))
    assert f"{tmp_path}/dataset.json: labels: left_cochlea: expected numbers of its own, found 2 for tumour" in line


def test_one_of_several_channels_is_chosen_by_its_number(tmp_path):
    root = _write(tmp_path, channels=2, channel_names={"0": "T1", "1": "T2"})
    line = _refused(root)
    assert "channel_names: expected one channel, found 0 (T1), 1 (T2); choose one" in line
    (advised,) = re.findall(r"--domain-dataset DOMAIN=(\S+)", line)
    for dataset, first in ((advised, 0), ("nnunet:1", 1)):
        assert read_case(find_cases(root, TASK, "t1", dataset)[0]).voxels.ravel()[0] == first
    assert "expected a channel 2" in _refused(root, dataset="nnunet:2")


def test_test_cases_are_asked_for_by_name(tmp_path):
    _write(tmp_path)
    _write(tmp_path, images="imagesTs", labels=None, cases=("c",))
    (files,) = find_cases(tmp_path, TASK, "t1", "nnunet-test")
    assert (files.case, files.labels) == ("nnunet-test-t1-c", ())


def test_labels_need_no_names_of_the_task_where_there_are_none(tmp_path):
    root = _write(tmp_path, labels=None)
    (root / "dataset.json").write_text(json.dumps(DATASET | {"labels": {"background": 0, "liver": 1}}))
    assert all(not files.labels for files in find_cases(root, TASK, "t1"))


def test_a_channel_called_ct_is_of_no_mr_domain(tmp_path):
    root = _write(tmp_path, channel_names={"0": "CT"})
    assert len(find_cases(root, TASK, "ct")) == 2
    assert "which is ct; give it as ct" in _refused(root)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"numTraining": 3}, "numTraining: expected 3 cases in imagesTr, found 2"),
        ({"numTraining": None}, "numTraining: expected a whole number, found none"),
        ({"file_ending": ".mha"}, "file_ending: expected .nii.gz or .nii, found '.mha'"),
        (
            {"channel_names": None, "modality": {"0": "MR"}},
            "channel_names: expected the channels by their numbers, found modality",
        ),
        ({"channel_names": {"1": "T1"}}, "channel_names: expected names by the numbers 0, 1, …, found"),
        ({"dataset": {}}, "dataset: expected images in imagesTr, found a list of files"),
    ],
)
def test_a_wrong_key_is_one_line_with_file_and_key(tmp_path, changed, told):
    assert f"{tmp_path}/dataset.json: {told}" in _refused(_write(tmp_path, **changed))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"tumour": 1, "left_cochlea": 2}, "labels: expected background: 0, found 'none'"),
        ({"0": "background", "1": "tumour"}, "labels: expected background: 0, found 'none'"),
        (
            {"background": 0, "tumor": 1, "left_cochlea": 2},
            "labels: expected tumour of the task head, found background, tumor",
        ),
        (
            {"background": 0, "tumour": 0, "left_cochlea": 2},
            "labels: tumour: expected numbers of its own, found 0 for backg",
        ),
        (
            {"background": 0, "tumour": "1", "left_cochlea": 2},
            "labels: tumour: expected a number, or a list of numbers, found",
        ),
        ({"background": 0, "tumour": 1, "Tumour": 3, "left_cochlea": 2}, "labels: Tumour: expected each name once"),
    ],
)
def test_labels_that_say_nothing_of_the_task_are_refused(tmp_path, names, told):
    assert f"{tmp_path}/dataset.json: {told}" in _refused(_regions(tmp_path, names))


def test_voxels_to_be_ignored_are_not_taken_for_background(tmp_path):
    root = _write(tmp_path, numbers=(0, 1, 2, 3))
    (root / "dataset.json").write_text(
        json.dumps(DATASET | {"labels": {"background": 0, "left_cochlea": 1, "tumour": 2, "ignore": 3}})
    )
    with pytest.raises(InputError, match=r"expected labels 0\.\.2, found 3"):
        read_case(find_cases(root, TASK, "t1")[0])


def test_damaged_json_and_a_folder_without_it_are_one_line(tmp_path):
    root = _write(tmp_path)
    (root / "dataset.json").write_text("{")
    assert f"{tmp_path}/dataset.json: expected JSON, found none" in _refused(root)
    (root / "dataset.json").unlink()
    assert "expected dataset.json of nnU-Net's raw layout, found none" in _refused(root, dataset="nnunet")
