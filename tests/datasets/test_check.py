"""The check reports everything at once, and finds what belongs to whole data sets."""

import errno
import json
import os
import shutil

import click.testing
import nibabel
import numpy as np
import pydicom
import pytest

from attent_tf.datasets import find_cases
from attent_tf.datasets.cases import natural_key
from attent_tf.datasets.check import check_headers
from attent_tf.errors import InputError
from attent_tf.storage import list_files
from cli.main import main
from tests.support.abdomen import ABDOMEN
from tests.support.folders import write_mr
from tests.support.small_runs import write_small_data


@pytest.fixture
def root(tmp_path):
    return write_small_data(tmp_path / "data")


def _check(root, *arguments):
    command = ["preprocess", "--mri", root / "chaos", "--ct", root / "malbcv", "--check", "--json", *arguments]
    result = click.testing.CliRunner().invoke(main, [str(word) for word in command])
    return result, json.loads(result.stdout)


def _found(report):
    return sorted((problem["case"], problem["check"]) for problem in report["problems"])


def test_good_data_have_no_problem(root):
    result, report = _check(root)
    assert result.exit_code == 0
    assert report == {"cases": 5, "problems": [], "warnings": []}


@pytest.mark.parametrize(
    ("names", "said"), [(["a"], "1 problem in 1 of 1 case;"), (["a", "b"], "2 problems in 2 of 2 cases;")]
)
def test_problems_and_cases_are_counted(tmp_path, names, said):
    for name in names:
        (tmp_path / f"{name}.nii").write_bytes(b"no scan " + name.encode())
    (tmp_path / "mine.yaml").write_text(f"name: mine\nmodality: ct\nroot: {tmp_path}\nimages: '{{case}}.nii'\n")
    command = ["preprocess", "--ct", str(tmp_path / "mine.yaml"), "--split", "ratio", "--check"]
    assert f"Error: {said} nothing was written" in click.testing.CliRunner().invoke(main, command).stderr


def test_problems_of_many_files_are_told_at_once(root):
    slices = sorted((root / "chaos" / "Train_Sets" / "MR" / "2").rglob("*.dcm"))
    slices[0].write_bytes(b"garbage")
    slices[3].write_bytes(slices[3].read_bytes()[:300])
    images = root / "malbcv" / "RawData" / "Training" / "img"
    (images / "img0001.nii.gz").write_bytes(b"no archive")
    labels = images.parent / "label" / "label0010.nii.gz"
    image = nibabel.load(labels)
    numbers = np.asarray(image.dataobj).copy()
    numbers[0] = 99
    nibabel.save(nibabel.Nifti1Image(numbers, image.affine), labels)
    result, report = _check(root)
    assert result.exit_code == 1
    assert _found(report) == [
        ("chaos-2", "readable"),
        ("chaos-2", "readable"),
        ("malbcv-0001", "readable"),
        ("malbcv-0010", "content"),
    ]
    assert "4 problems in 3 of 5 cases; nothing was written" in result.stderr


def test_the_table_says_what_was_expected_found_and_is_to_do(root):
    path = root / "malbcv" / "RawData" / "Training" / "img" / "img0001.nii.gz"
    path.write_bytes(b"no archive")
    command = ["preprocess", "--ct", str(root / "malbcv"), "--check"]
    lines = [line.split() for line in click.testing.CliRunner().invoke(main, command).output.splitlines()]
    assert ["malbcv-0001"] in lines
    assert ["readable", str(path)] in lines
    for word in ("expected", "found", "to"):
        assert any(line[:1] == [word] for line in lines)


def test_two_sizes_and_a_gap_are_both_told(root):
    slices = sorted((root / "chaos" / "Train_Sets" / "MR" / "1").rglob("*.dcm"))
    scan = pydicom.dcmread(slices[2])
    scan.PixelSpacing = [9, 9]
    scan.save_as(slices[2])
    scan = pydicom.dcmread(slices[-1])
    scan.ImagePositionPatient = [*scan.ImagePositionPatient[:2], 444.0]
    scan.save_as(slices[-1])
    (files, _) = find_cases(root / "chaos", ABDOMEN, "mri")
    texts = [str(fault.problem) for fault in check_headers(files)]
    assert len(texts) == 2
    assert any("slices of one pixel spacing" in text for text in texts)
    assert any("even steps" in text or "order of their positions" in text for text in texts)


def test_the_same_scan_under_two_names_is_told(root):
    training = root / "malbcv" / "RawData" / "Training"
    for kind in ("img", "label"):
        shutil.copy(training / kind / f"{kind}0001.nii.gz", training / kind / f"{kind}0011.nii.gz")
    result, report = _check(root)
    assert result.exit_code == 1
    assert ("malbcv-0011", "duplicate") in _found(report)


def test_a_patient_in_two_splits_is_told(root, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        f"name: mine\nmodality: ct\nroot: {root}/malbcv/RawData/Training/img\nimages: 'img{{patient}}0{{case}}.nii.gz'\n"
    )
    (tmp_path / "split.yaml").write_text("test: [mine-0-02]\n")
    command = ["preprocess", "--ct", tmp_path / "mine.yaml", "--split", "file", "--split-file", tmp_path / "split.yaml"]
    result = click.testing.CliRunner().invoke(main, [str(word) for word in (*command, "--check", "--json")])
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem["check"] == "split"
    assert "in two splits" in problem["found"]


def test_ct1_dual_is_read_in_both_phases(tmp_path):
    from attent_tf.datasets import read_case

    write_mr(tmp_path, 1, upwards=True)
    patient = tmp_path / "Train_Sets" / "MR" / "1"
    (patient / "T2SPIR").rename(patient / "T1DUAL")
    dicom = patient / "T1DUAL" / "DICOM_anon"
    for phase, step in (("InPhase", 2), ("OutPhase", 1)):
        (dicom / phase).mkdir()
        for rank, path in enumerate(sorted(dicom.glob("*.dcm"))):
            shutil.copy(path, dicom / phase / f"IMG-0001-{2 * rank + step:05d}.dcm")
    for path in dicom.glob("*.dcm"):
        path.unlink()
    for rank, path in enumerate(sorted((patient / "T1DUAL" / "Ground").iterdir(), reverse=True)):
        path.rename(path.with_name(f"IMG-0001-{2 * (6 - rank):05d}.png"))
    volumes = []
    for name in ("chaos-t1-in", "chaos-t1-out"):
        (files,) = find_cases(tmp_path, ABDOMEN, "mri", name)
        assert (files.case, files.patient) == (f"{name}-1", "chaos-1")
        volumes.append(read_case(files))
    np.testing.assert_array_equal(volumes[0].labels, volumes[1].labels)
    assert set(np.unique(volumes[0].labels)) == {0, 1, 2, 3, 4}


def test_listing_follows_links_once_and_skips_what_is_hidden(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "scan.nii").write_text("")
    (tmp_path / "a" / "._scan.nii").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "scan.nii").write_text("")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "empty").mkdir()
    assert list_files(tmp_path) == ["a/scan.nii", "empty/"]


def test_names_that_differ_in_capitals_alone_are_told_of_both(tmp_path):
    write_small_data(tmp_path)
    images = tmp_path / "plain" / "images"
    images.mkdir(parents=True)
    for name, number in (("A", 1), ("a", 2), ("b", 10)):
        shutil.copy(
            tmp_path / "malbcv" / "RawData" / "Training" / "img" / f"img{number:04d}.nii.gz", images / f"{name}.nii.gz"
        )
    command = ["preprocess", "--ct", str(tmp_path / "plain"), "--split", "none", "--check", "--json"]
    result = click.testing.CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert _found(json.loads(result.stdout)) == [("nifti-A", "duplicate"), ("nifti-a", "duplicate")]


@pytest.mark.parametrize("place", ["headers", "voxels"])
def test_what_the_system_says_of_one_case_is_one_of_the_problems(place, root, monkeypatch):
    """Of a failing disk, which no test can have."""
    from attent_tf.volumes import dicom_series

    name = {"headers": "read_slice_headers", "voxels": "read_slices"}[place]
    real = getattr(dicom_series, name)

    def failing(path, *words):
        if "/MR/2/" in str(path):
            raise OSError(errno.EIO, "Input/output error", str(path))
        return real(path, *words)

    monkeypatch.setattr(dicom_series, name, failing)
    result, report = _check(root)
    assert result.exit_code == 1
    assert _found(report) == [("chaos-2", "readable" if place == "headers" else "content")]
    (one,) = report["problems"]
    assert "input/output error" in one["found"]


def test_a_folder_that_cannot_be_listed_is_told(root, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("/MR/2"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match="MR/2: expected a folder that can be listed, found permission denied"):
        list_files(root)


def test_numbers_in_names_are_those_of_any_script_and_superscripts_are_letters():
    names = ["a\u00b2", "a10", "a\u0668", "a9"]
    assert sorted(names, key=natural_key) == ["a\u0668", "a9", "a10", "a\u00b2"]
    assert natural_key("\u00b2") > natural_key("10")
