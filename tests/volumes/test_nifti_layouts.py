"""Folders of NIfTI files: MALBCV, the plain layout, and what is neither."""

import dataclasses
import pickle

import numpy as np
import pytest

from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import ConfigError, InputError
from tests.support.abdomen import ABDOMEN, LEFT_KIDNEY, LIVER, RIGHT_KIDNEY, SPLEEN

SHAPE = (7, 2, 1)
AFFINE = np.diag([-2.0, 3.0, 4.0, 1.0])
VOXELS = np.arange(14, dtype=np.int16).reshape(SHAPE)


def _write_malbcv(tools, root, numbers=("0001", "0002", "0021"), labels=True):
    training = root / "RawData" / "Training"
    for number in numbers:
        tools.save_nifti(training / "img" / f"img{number}.nii.gz", VOXELS, AFFINE)
        if labels:
            every_label = np.arange(14, dtype=np.uint8).reshape(SHAPE)
            tools.save_nifti(training / "label" / f"label{number}.nii.gz", every_label, AFFINE)
    return training


def _write_plain(tools, root, names=("b2.nii.gz", "b10.nii", "a.x.nii.gz"), labels=True):
    for name in names:
        tools.save_nifti(root / "images" / name, VOXELS, AFFINE)
        if labels:
            tools.save_nifti(root / "labels" / name, (np.arange(14) % 5).astype(np.uint8).reshape(SHAPE), AFFINE)
    return root


@pytest.mark.parametrize("part", ["", "RawData", "RawData/Training"])
def test_malbcv_is_found_from_each_level_in_order(tools, tmp_path, part):
    _write_malbcv(tools, tmp_path)
    cases = find_cases(tmp_path / part, ABDOMEN, "ct")
    assert [files.case for files in cases] == ["malbcv-0001", "malbcv-0002", "malbcv-0021"]
    assert {(files.domain, files.dataset) for files in cases} == {("ct", "malbcv")}
    assert cases[2].images[0].endswith("img/img0021.nii.gz")
    assert cases[2].labels[0].endswith("label/label0021.nii.gz")
    assert pickle.loads(pickle.dumps(cases)) == cases


def test_labels_of_malbcv_are_renumbered(tools, tmp_path):
    _write_malbcv(tools, tmp_path)
    volume = read_case(find_cases(tmp_path, ABDOMEN, "ct")[0])
    expected = np.zeros(14, np.uint8)
    expected[[6, 2, 3, 1]] = LIVER, RIGHT_KIDNEY, LEFT_KIDNEY, SPLEEN
    np.testing.assert_array_equal(volume.labels.ravel(), expected)
    assert volume.labels.dtype == np.uint8
    np.testing.assert_array_equal(volume.voxels, VOXELS)
    np.testing.assert_array_equal(volume.affine, AFFINE)
    assert volume.axis_codes == "LAS"


def test_malbcv_without_a_label_folder_is_unlabelled(tools, tmp_path):
    _write_malbcv(tools, tmp_path, labels=False)
    cases = find_cases(tmp_path, ABDOMEN, "ct")
    assert cases[0].labels == ()
    assert read_case(cases[0]).labels is None


@pytest.mark.parametrize(("gone", "left"), [("label/label0002", "img/img0002"), ("img/img0002", "label/label0002")])
def test_an_image_or_label_alone_is_named(tools, tmp_path, gone, left):
    training = _write_malbcv(tools, tmp_path)
    (training / f"{gone}.nii.gz").unlink()
    with pytest.raises(InputError, match=rf"{left}\.nii\.gz: expected its \w+ {gone}\.nii\.gz, found none"):
        find_cases(tmp_path, ABDOMEN, "ct")


def test_files_that_are_no_scans_of_malbcv(tools, tmp_path):
    training = _write_malbcv(tools, tmp_path)
    (training / "img" / "readme.txt").write_text("left alone")
    (training / "img" / "._img0001.nii.gz").write_bytes(b"left alone")
    assert len(find_cases(tmp_path, ABDOMEN, "ct")) == 3
    tools.save_nifti(training / "img" / "img0001.nii", VOXELS, AFFINE)
    with pytest.raises(InputError, match=r"img0001\.nii\.gz: expected one file for a case, found .*img0001\.nii too"):
        find_cases(tmp_path, ABDOMEN, "ct")
    (training / "img" / "img0001.nii").rename(training / "img" / "copy.nii")
    with pytest.raises(InputError, match=r"copy\.nii: expected a name such as img/img{case}"):
        find_cases(tmp_path, ABDOMEN, "ct")


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (np.full(SHAPE, 14, np.uint8), r"0\.\.13, found 14"),
        (np.full(SHAPE, -1, np.int16), r"0\.\.13, found -1"),
        (np.full(SHAPE, 1.6, np.float32), r"whole numbers as labels, found 1\.6"),
        (np.zeros((7, 2, 2), np.uint8), r"expected the shape \(7, 2, 1\)"),
    ],
)
def test_a_wrong_label_map_of_malbcv_is_named(tools, tmp_path, labels, found):
    training = _write_malbcv(tools, tmp_path)
    tools.save_nifti(training / "label" / "label0001.nii.gz", labels, AFFINE)
    with pytest.raises(InputError, match=rf"label0001\.nii\.gz: .*{found}"):
        read_case(find_cases(tmp_path, ABDOMEN, "ct")[0])


def test_a_label_map_with_another_affine_is_named(tools, tmp_path):
    training = _write_malbcv(tools, tmp_path)
    tools.save_nifti(training / "label" / "label0001.nii.gz", np.zeros(SHAPE, np.uint8), np.diag([2.0, 3.0, 4.0, 1.0]))
    with pytest.raises(InputError, match=r"label0001\.nii\.gz: expected the affine of .*img0001"):
        read_case(find_cases(tmp_path, ABDOMEN, "ct")[0])


def test_a_plain_folder_keeps_its_class_indices(tools, tmp_path):
    for domain in ("ct", "mri"):
        cases = find_cases(_write_plain(tools, tmp_path), ABDOMEN, domain)
        assert [files.case for files in cases] == ["nifti-a.x", "nifti-b2", "nifti-b10"]
        volume = read_case(cases[2])
        assert (volume.case, volume.domain.name) == ("nifti-b10", domain)
        np.testing.assert_array_equal(volume.labels.ravel(), np.arange(14) % 5)
        assert volume.labels.dtype == np.uint8


def test_a_plain_folder_without_labels_is_unlabelled(tools, tmp_path):
    cases = find_cases(_write_plain(tools, tmp_path, labels=False), ABDOMEN, "mri")
    assert read_case(cases[0]).labels is None


@pytest.mark.parametrize(("gone", "left"), [("labels", "images"), ("images", "labels")])
def test_a_plain_file_alone_is_named(tools, tmp_path, gone, left):
    _write_plain(tools, tmp_path)
    (tmp_path / gone / "b2.nii.gz").unlink()
    with pytest.raises(InputError, match=rf"{left}/b2\.nii\.gz: expected its \w+ {gone}/b2\.nii\.gz, found none"):
        find_cases(tmp_path, ABDOMEN, "mri")


def test_two_plain_files_of_one_name_are_refused(tools, tmp_path):
    _write_plain(tools, tmp_path, names=("a.nii", "a.nii.gz"), labels=False)
    with pytest.raises(InputError, match=r"a\.nii\.gz: expected one file for a case, found .*a\.nii too"):
        find_cases(tmp_path, ABDOMEN, "mri")


@pytest.mark.parametrize("value", [5, 63])
def test_plain_labels_beyond_the_classes_are_refused(tools, tmp_path, value):
    _write_plain(tools, tmp_path, names=("a.nii",))
    tools.save_nifti(tmp_path / "labels" / "a.nii", np.full(SHAPE, value, np.uint8), AFFINE)
    with pytest.raises(InputError, match=rf"labels/a\.nii: expected labels 0\.\.4, found {value}"):
        read_case(find_cases(tmp_path, ABDOMEN, "ct")[0])


def test_an_unknown_orientation_can_be_trusted(tools, tmp_path):
    training = _write_malbcv(tools, tmp_path, numbers=("0001",))
    for path in (training / "img" / "img0001.nii.gz", training / "label" / "label0001.nii.gz"):
        _clear_codes(path)
    (files,) = find_cases(tmp_path, ABDOMEN, "ct")
    with pytest.raises(InputError, match=r"img0001\.nii\.gz: expected a known orientation"):
        read_case(files)
    np.testing.assert_array_equal(read_case(files, "trust_affine").affine, AFFINE)


def _clear_codes(path):
    import gzip

    content = bytearray(gzip.decompress(path.read_bytes()))
    content[252:256] = bytes(4)
    path.write_bytes(gzip.compress(bytes(content)))


def test_files_of_a_case_cannot_be_changed(tools, tmp_path):
    (files,) = find_cases(_write_plain(tools, tmp_path, names=("a.nii",)), ABDOMEN, "ct")
    with pytest.raises(dataclasses.FrozenInstanceError):
        files.case = "other"


def test_an_unknown_layout_says_what_was_looked_for(tmp_path):
    (tmp_path / "somewhere").mkdir()
    with pytest.raises(InputError) as caught:
        find_cases(tmp_path, ABDOMEN, "mri")
    for expected in (str(tmp_path), "Train_Sets/MR", "RawData/Training/img", "images/{case}.nii.gz"):
        assert expected in str(caught.value)


def test_a_missing_folder_and_an_unknown_domain_are_named(tmp_path):
    with pytest.raises(InputError, match=r"absent: expected the folder"):
        find_cases(tmp_path / "absent", ABDOMEN, "mri")
    with pytest.raises(ConfigError, match="'pet'"):
        find_cases(tmp_path, ABDOMEN, "pet")


@pytest.mark.parametrize("folder", ["images", "RawData/Training/img"])
def test_a_layout_without_scans_is_said(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(InputError, match="found none"):
        find_cases(tmp_path, ABDOMEN, "ct")


def test_malbcv_is_not_mri(tools, tmp_path):
    _write_malbcv(tools, tmp_path)
    with pytest.raises(InputError, match="give it as ct"):
        find_cases(tmp_path, ABDOMEN, "mri")
