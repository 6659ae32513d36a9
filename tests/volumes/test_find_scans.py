"""Which scans a path stands for."""

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.volumes import Volume
from attent_tf.volumes.find_scans import find_scans
from attent_tf.volumes.plausibility import intensity_warning
from tests.support.abdomen import ABDOMEN, MRI


def _series(tools, folder, name="IMG-{:03d}.dcm"):
    slices = [tools.dicom_slice(np.zeros((3, 5)), (0, 0, 2.0 * place)) for place in range(3)]
    return tools.save_series(folder, slices, name)


def test_a_file_is_one_scan(tmp_path):
    (tmp_path / "thorax.v2.nii.gz").touch()
    found = find_scans(tmp_path / "thorax.v2.nii.gz")
    assert found.single
    assert [scan.name for scan in found.scans] == ["thorax.v2"]


@pytest.mark.parametrize("name", ["IMG-{:03d}.dcm", "I{:06d}"])
def test_a_folder_of_slices_is_one_scan(tools, tmp_path, name):
    _series(tools, tmp_path / "series", name)
    (tmp_path / "series" / "README.txt").write_text("beside the slices")
    found = find_scans(tmp_path / "series")
    assert found.single
    assert [(scan.name, scan.path) for scan in found.scans] == [("series", tmp_path / "series")]


def test_a_folder_of_scans_holds_files_and_series_at_any_depth(tools, tmp_path):
    (tmp_path / "b.nii.gz").touch()
    (tmp_path / "._b.nii.gz").touch()
    (tmp_path / "notes.txt").touch()
    _series(tools, tmp_path / "patient" / "T2")
    _series(tools, tmp_path / "a")
    (tmp_path / "empty").mkdir()
    found = find_scans(tmp_path)
    assert not found.single
    assert [scan.name for scan in found.scans] == ["a", "b", "patient_T2"]


def test_one_file_in_a_folder_is_a_folder_of_scans(tmp_path):
    (tmp_path / "a.nii").touch()
    assert not find_scans(tmp_path).single


def test_names_that_would_meet_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.nii").touch()
    (tmp_path / "a_b.nii").touch()
    with pytest.raises(InputError, match="both called a_b"):
        find_scans(tmp_path)


@pytest.mark.parametrize("names", [("A.nii", "a.nii.gz"), ("M\u00fcller.nii", "Mu\u0308ller.nii")])
def test_names_that_some_systems_cannot_tell_apart_are_refused(names, tmp_path):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="whatever the capitals; rename one"):
        find_scans(tmp_path)


def test_names_have_one_spelling_and_paths_the_one_of_the_disk(tmp_path):
    (tmp_path / "Mu\u0308ller").mkdir()
    path = tmp_path / "Mu\u0308ller" / "o\u0308 1.nii"
    path.touch()
    assert [(scan.name, scan.path) for scan in find_scans(tmp_path).scans] == [("M\u00fcller_\u00f6 1", path)]
    assert [scan.name for scan in find_scans(path).scans] == ["\u00f6 1"]


def test_links_that_lead_around_end(tmp_path):
    (tmp_path / "a.nii").touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(find_scans(tmp_path).scans) == 1


def test_nothing_to_find_is_said(tools, tmp_path):
    with pytest.raises(InputError, match="found nothing"):
        find_scans(tmp_path / "absent")
    (tmp_path / "notes.npy").write_bytes(b"x" * 200)
    with pytest.raises(InputError, match="found none"):
        find_scans(tmp_path)
    (one, *_) = _series(tools, tmp_path / "series")
    with pytest.raises(InputError, match="give the folder"):
        find_scans(one)


@pytest.mark.parametrize(
    ("domain", "low", "high", "warned"),
    [
        ("ct", -1000, 900, None),
        ("ct", -1024, 3071, None),
        ("ct", 0, 255, "Hounsfield"),
        ("ct", 0, 2000, "Hounsfield"),
        ("ct", -1000, 30000, "Hounsfield"),
        ("mri", 0, 1500, None),
        ("mri", -47, 833, None),
        ("mri", -1000, 900, "CT"),
    ],
)
def test_intensities_of_another_modality_are_told(domain, low, high, warned):
    voxels = np.linspace(low, high, 30**3).reshape(30, 30, 30).astype(np.float32)
    warning = intensity_warning(Volume(voxels, np.eye(4), "scan", ABDOMEN.domain(domain)))
    assert (warning is None) if warned is None else (warned in warning and warning.startswith("scan: "))


def test_label_maps_are_told():
    voxels = np.arange(30**3).reshape(30, 30, 30) % 14
    assert "label map" in intensity_warning(Volume(voxels.astype(np.uint8), np.eye(4), "scan", MRI))
