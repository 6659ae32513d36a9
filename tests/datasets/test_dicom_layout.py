"""Folders of DICOM series as data sets: found by content, checked, and refused alike by the check and the job."""

import json
import shutil

import click.testing
import numpy as np
import pytest

from attent_tf.datasets import find_cases, read_case, survey_cases
from attent_tf.errors import InputError
from cli.main import main
from tests.support.abdomen import ABDOMEN
from tests.support.dicom_folders import (
    UID,
    body,
    enhanced_dataset,
    heights,
    write_enhanced,
    write_report,
    write_series,
)
from tests.support.folders import write_mr
from tests.support.object_store import SCHEME, ObjectStore

VOXELS = body(4)
HOSPITAL = "name: hospital\nmodality: ct\nroot: .\nimages: '{patient}/{case}/*'\n"


def _cases(root):
    return {files.case: read_case(files) for files in find_cases(root, ABDOMEN, "ct")}


@pytest.mark.parametrize("stray", ["Thumbs.db", "LOCKFILE", "00_note"])
def test_a_stray_file_that_sorts_first_hides_neither_layout_nor_scan(tmp_path, stray):
    for case in ("a", "b"):
        write_series(tmp_path / case, VOXELS, name="IM{:04d}")
    (tmp_path / "a" / stray).write_bytes(b"something else " * 20)
    cases = _cases(tmp_path)
    assert list(cases) == ["dicom-a", "dicom-b"]
    np.testing.assert_array_equal(cases["dicom-a"].voxels, VOXELS.transpose(2, 1, 0))
    (line,) = cases["dicom-a"].warnings
    assert line.endswith(f"left out 1 file that is no slice of the scan: {stray} (no DICOM)")
    assert cases["dicom-b"].warnings == ()


def test_half_of_the_files_with_a_suffix_and_half_without(tmp_path):
    write_series(tmp_path / "a", VOXELS[:2])
    write_series(tmp_path / "a", VOXELS[2:], [10.0, 15.0], name="IM{:04d}", first=3)
    np.testing.assert_array_equal(_cases(tmp_path)["dicom-a"].voxels, VOXELS.transpose(2, 1, 0))


def test_an_enhanced_object_is_a_case(tmp_path):
    write_enhanced(tmp_path / "a" / "I1", enhanced_dataset(VOXELS, heights(4)))
    np.testing.assert_array_equal(_cases(tmp_path)["dicom-a"].voxels, VOXELS.transpose(2, 1, 0))


def test_a_folder_of_folders_without_dicom_is_no_such_layout(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "IM0001").write_bytes(b"no DICOM" * 50)
    with pytest.raises(InputError, match="none of the known layouts"):
        survey_cases(tmp_path, ABDOMEN, "ct")


def _problems(root):
    return [(fault.case, str(fault.problem)) for fault in survey_cases(root, ABDOMEN, "ct").problems]


def test_a_case_without_dicom_is_told_in_any_layout(tmp_path):
    for case in ("p1/a", "p1/b"):
        write_series(tmp_path / case, VOXELS, name="IM{:04d}")
    (tmp_path / "hospital.yaml").write_text(HOSPITAL)
    for path in (tmp_path / "p1" / "b").iterdir():
        path.write_bytes(b"encrypted" * 50)
    (tmp_path / "p1" / "empty").mkdir()
    (tmp_path / "p1" / "report").mkdir()
    (tmp_path / "p1" / "report" / "letter.pdf").touch()
    advice = "complete the folder, or remove it"
    assert _problems(tmp_path / "hospital.yaml") == [
        (
            "hospital-p1-b",
            f"{tmp_path}/p1/b: expected DICOM slices, found 4 files that are none, such as IM0001; {advice}",
        ),
        ("hospital-p1-empty", f"{tmp_path}/p1/empty: expected DICOM slices, found none; {advice}"),
    ]
    shutil.move(tmp_path / "p1", tmp_path / "cases")
    (tmp_path / "hospital.yaml").unlink()
    assert [case for case, _ in _problems(tmp_path / "cases")] == ["dicom-b", "dicom-empty", "dicom-report"]


def _several_series(case):
    write_series(case, VOXELS, heights(4, 2.5), "2", first=11)


def _stray_slice(case):
    write_series(case, VOXELS[:1], [20.0], "2", first=11)


def _garbage(case):
    (case / "IM0009.dcm").write_bytes(b"no DICOM")


def _objects_alone(case):
    for path in case.iterdir():
        path.unlink()
    write_report(case / "SR.dcm")


def _time_points(case):
    shutil.rmtree(case)
    write_enhanced(case / "I1.dcm", enhanced_dataset(np.concatenate([VOXELS, VOXELS]), heights(4) * 2))


def _other_modality(case):
    shutil.rmtree(case)
    write_series(case, VOXELS, modality="MR")


def _lost_frames(case):
    shutil.rmtree(case)
    dataset = enhanced_dataset(VOXELS, heights(4))
    dataset.PixelData = dataset.PixelData[:-6]
    write_enhanced(case / "I1.dcm", dataset)


def _hollow(case):
    for path in case.iterdir():
        path.rename(path.with_suffix(""))
        path.with_suffix("").write_bytes(b"x" * 300)


REFUSED = [
    (_several_series, f"b: expected slices of one series, found 2 series, {UID}1 "),
    (_stray_slice, "b: expected slices of one series, found 2 series"),
    (_garbage, "b/IM0009.dcm: expected a DICOM file"),
    (_objects_alone, "b/SR.dcm: expected slices of a scan, found a dose report"),
    (_time_points, "b: expected one slice at each position"),
    (_other_modality, "b/IM0001.dcm: expected a slice of domain ct, found modality MR"),
    (_lost_frames, "b/I1.dcm: expected 24000 bytes of pixels for 4 frames"),
    (_hollow, "b: expected DICOM slices, found 4 files that are none"),
]


def _attent(*arguments):
    return click.testing.CliRunner().invoke(main, [str(word) for word in arguments])


@pytest.mark.parametrize(("damage", "found"), REFUSED, ids=[damage.__name__.strip("_") for damage, _ in REFUSED])
@pytest.mark.parametrize("layout", ["dicom", "described"])
def test_the_check_finds_what_the_job_refuses(tmp_path, damage, found, layout):
    root = tmp_path / "scans" if layout == "dicom" else tmp_path / "scans" / "p1"
    for seed, case in enumerate("abc"):
        write_series(root / case, body(4, seed))
    damage(root / "b")
    source = tmp_path / "scans"
    if layout == "described":
        source = source / "hospital.yaml"
        source.write_text(HOSPITAL)
    words = ("preprocess", "--ct", source, "--split", "none")
    checked = _attent(*words, "--check", "--json")
    assert checked.exit_code == 1
    (problem,) = json.loads(checked.stdout)["problems"]
    assert problem["case"] == ("dicom-b" if layout == "dicom" else "hospital-p1-b")
    line = f"{problem['where']}: expected {problem['expected']}, found {problem['found']}; {problem['advice']}"
    # In the layout of plain folders one without any slice is told by what it lacks.
    lacks = damage is _hollow and layout == "dicom"
    assert (found if not lacks else "b: expected ") in line
    refused = _attent(*words, "--out", tmp_path / "records")
    assert refused.exit_code == 1
    assert [text for text in refused.stderr.splitlines() if text.startswith("Error: ")] == [f"Error: {line}"]
    assert not (tmp_path / "records").exists()


def test_labels_that_are_a_picture_a_slice_need_a_file_a_slice(tmp_path):
    write_mr(tmp_path, 1, upwards=True)
    folder = tmp_path / "Train_Sets" / "MR" / "1" / "T2SPIR"
    for kind in ("DICOM_anon", "Ground"):
        for path in sorted((folder / kind).iterdir())[1:]:
            path.unlink()
    (slice_path,) = (folder / "DICOM_anon").iterdir()
    write_enhanced(slice_path, enhanced_dataset(np.zeros((4, 100, 140)), heights(4), "MR"))
    (files,) = find_cases(tmp_path, ABDOMEN, "mri")
    with pytest.raises(
        InputError, match=r"00001\.dcm: expected one slice per file, .* found an object of several frames"
    ):
        read_case(files)


def test_on_an_object_store_only_files_of_which_the_name_does_not_tell_are_opened(tmp_path, monkeypatch):
    root = f"{SCHEME}://bucket/dicom"
    ObjectStore.objects.clear()
    write_series(tmp_path, VOXELS)
    for path in tmp_path.iterdir():
        ObjectStore.objects[f"{root}/a/{path.name}"] = path.read_bytes()
        ObjectStore.objects[f"{root}/b/{path.stem}"] = path.read_bytes()
    ObjectStore.objects[f"{root}/a/notes.txt"] = ObjectStore.objects[f"{root}/a/LOCKFILE"] = b"x"
    opened = []
    from attent_tf import storage

    def noted(path):
        opened.append(path.removeprefix(f"{root}/"))
        return storage.open_binary(path)

    monkeypatch.setattr("attent_tf.volumes.dicom_files.open_binary", noted)
    cases = find_cases(root, ABDOMEN, "ct")
    assert sorted(opened) == ["a/LOCKFILE", "b/IM0001", "b/IM0002", "b/IM0003", "b/IM0004"]
    assert [len(files.images) for files in cases] == [4, 4]
    assert cases[0].others == (f"{root}/a/LOCKFILE", f"{root}/a/notes.txt")
    for files in cases:
        np.testing.assert_array_equal(read_case(files).voxels, VOXELS.transpose(2, 1, 0))
    ObjectStore.objects.clear()
