"""Files beside slices: what is no slice is left out and told, and hides no scan."""

import os

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import read_scan
from attent_tf.volumes.dicom_files import candidate_files, folder_files
from attent_tf.volumes.find_scans import find_scans
from tests.support.abdomen import CT
from tests.support.dicom_folders import body, write_series

VOXELS = body(4)
STRAYS = ["Thumbs.db", "LOCKFILE", "00_note", "A.txt", "zz.bin", "a.log"]


@pytest.mark.parametrize("name", ["IM{:04d}.dcm", "IM{:04d}", "1.2.840.{}", "i{}.ima"])
@pytest.mark.parametrize("stray", STRAYS)
def test_a_stray_file_hides_no_scan_and_is_told(tmp_path, name, stray):
    write_series(tmp_path / "scans" / "a", VOXELS, name=name)
    (tmp_path / "scans" / "a" / stray).write_bytes(b"something else " * 20)
    write_series(tmp_path / "scans" / "b", VOXELS, name=name)
    assert [scan.name for scan in find_scans(tmp_path / "scans").scans] == ["a", "b"]
    volume = read_scan(tmp_path / "scans" / "a", CT)
    np.testing.assert_array_equal(volume.voxels, VOXELS.transpose(2, 1, 0))
    expected = f"{tmp_path}/scans/a: left out 1 file that is no slice of the scan: {stray} (no DICOM)"
    assert volume.warnings == (expected,)


def test_several_are_counted_in_one_line(tmp_path):
    write_series(tmp_path, VOXELS)
    for stray in STRAYS:
        (tmp_path / stray).touch()
    (line,) = read_scan(tmp_path, CT).warnings
    assert line.endswith("left out 6 files that are no slices of the scan: 6 such as 00_note (no DICOM)")


@pytest.mark.parametrize("name", [".DS_Store", "._IM0001.dcm", "DICOMDIR"])
def test_what_nobody_takes_for_a_slice_needs_no_word(tmp_path, name):
    write_series(tmp_path, VOXELS)
    (tmp_path / name).write_bytes(b"x" * 300)
    volume = read_scan(tmp_path, CT)
    assert (volume.shape, volume.warnings) == ((60, 50, 4), ())


def test_half_of_the_files_with_a_suffix_and_half_without(tmp_path):
    write_series(tmp_path, VOXELS[:2])
    write_series(tmp_path, VOXELS[2:], [10.0, 15.0], name="IM{:04d}", first=3)
    assert find_scans(tmp_path).single
    volume = read_scan(tmp_path, CT)
    np.testing.assert_array_equal(volume.voxels, VOXELS.transpose(2, 1, 0))
    assert volume.warnings == ()


def test_a_scan_in_nifti_beside_slices_is_one_of_its_own(tmp_path):
    write_series(tmp_path / "a", VOXELS)
    (tmp_path / "a" / "scan.nii.gz").touch()
    assert [scan.name for scan in find_scans(tmp_path / "a").scans] == ["a", "scan"]
    assert read_scan(tmp_path / "a", CT).warnings == ()


def test_what_is_called_a_slice_and_is_none_is_named(tmp_path):
    write_series(tmp_path / "a", VOXELS)
    (tmp_path / "a" / "IM0009.dcm").write_bytes(b"cut off while it was copied")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "IM0001.dcm").touch()
    assert [scan.name for scan in find_scans(tmp_path).scans] == ["a", "b"]
    for scan in ("a/IM0009.dcm", "b/IM0001.dcm"):
        with pytest.raises(InputError, match=f"{scan}: expected a DICOM file, found other content"):
            read_scan((tmp_path / scan).parent, CT)


def test_a_file_that_may_not_be_opened_may_be_a_slice(tmp_path, monkeypatch):
    write_series(tmp_path, VOXELS, name="IM{:04d}")
    from attent_tf import storage

    def closed(path):
        if str(path).endswith("IM0003"):
            raise PermissionError(13, "Permission denied", str(path))
        return storage.open_binary(path)

    monkeypatch.setattr("attent_tf.volumes.dicom_files.open_binary", closed)
    monkeypatch.setattr("attent_tf.volumes.dicom_content.open_binary", closed)
    with pytest.raises(InputError, match=r"IM0003: expected a whole DICOM file, found that reading failed \(Perm"):
        read_scan(tmp_path, CT)


def test_a_folder_that_may_not_be_listed_is_a_scan_that_fails(tmp_path, monkeypatch):
    write_series(tmp_path / "a", VOXELS)
    write_series(tmp_path / "closed", VOXELS)
    listed = os.scandir

    def scandir(path="."):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [scan.name for scan in find_scans(tmp_path).scans] == ["a", "closed"]
    with pytest.raises(InputError, match="closed: expected a folder that can be listed, found permission denied"):
        read_scan(tmp_path / "closed", CT)


def test_only_files_of_which_the_name_does_not_tell_are_opened(tmp_path, monkeypatch):
    write_series(tmp_path, VOXELS)
    for name in ("IM0009", "notes.txt", "scan.nii", "DICOMDIR"):
        (tmp_path / name).touch()
    opened = []
    from attent_tf import storage

    def noted(path):
        opened.append(os.path.basename(path))
        return storage.open_binary(path)

    monkeypatch.setattr("attent_tf.volumes.dicom_files.open_binary", noted)
    assert [path.name for path in candidate_files(tmp_path)] == [f"IM000{n}.dcm" for n in (1, 2, 3, 4)] + ["IM0009"]
    assert opened == []
    assert [path.name for path in folder_files(tmp_path).others] == ["IM0009", "notes.txt"]
    assert opened == ["IM0009"]
