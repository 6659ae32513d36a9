"""Affines in metres and micrometres become millimetres; what can be neither is refused."""

import nibabel
import numpy as np
import pytest

from attent_tf.datasets import find_cases, read_case
from attent_tf.datasets.check import check_headers
from attent_tf.errors import InputError
from attent_tf.scoring.label_map import label_map_from
from attent_tf.scoring.pairing import SideFiles
from attent_tf.scoring.reading import read_side
from attent_tf.volumes import read_nifti, read_nifti_labels, read_scan, write_labels
from tests.support.abdomen import ABDOMEN, CT
from tests.support.nifti_fields import set_fields

AFFINE_MM = np.array([[0.0, -6.0, 0, 189.0], [6.0, 0, 0, -153.0], [0, 0, 8.0, -92.0], [0, 0, 0, 1.0]])
VOXELS = (np.arange(60, dtype=np.uint8) % 5).reshape(5, 4, 3)
PER_MM = {"unknown": 1.0, "mm": 1.0, "meter": 1e-3, "micron": 1e3}


def _save(path, unit, written_as=None, kind=nibabel.Nifti1Image, form="both", voxels=VOXELS):
    """The same scan with its affine in a unit, and the header saying that it is so, or otherwise."""
    affine = AFFINE_MM.copy()
    affine[:3] *= PER_MM[unit]
    image = kind(voxels, affine)
    image.set_sform(affine, 0 if form == "qform" else 1)
    image.set_qform(affine, 0 if form == "sform" else 1)
    # The unit of time shares the field.
    image.header.set_xyzt_units(written_as or unit, "sec")
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("unit", PER_MM)
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("form", ["both", "sform", "qform"])
def test_the_affine_is_in_millimetres(tmp_path, unit, kind, form):
    path = _save(tmp_path / "scan.nii.gz", unit, kind=kind, form=form)
    for read in (read_nifti, read_nifti_labels):
        np.testing.assert_allclose(read(path)[1], AFFINE_MM, atol=2e-4)
    np.testing.assert_allclose(read_scan(path, CT).spacing_mm, (6, 6, 8), rtol=1e-6)


def test_a_unit_that_is_not_defined_counts_as_millimetres(tmp_path):
    path = set_fields(_save(tmp_path / "scan.nii", "mm"), xyzt_units=5)
    np.testing.assert_allclose(read_nifti(path)[1], AFFINE_MM, atol=1e-4)


@pytest.mark.parametrize(("unit", "label_unit"), [("meter", "mm"), ("mm", "micron"), ("micron", "meter")])
def test_scan_and_labels_in_different_units_lie_on_each_other(tmp_path, unit, label_unit):
    _save(tmp_path / "images" / "a.nii.gz", unit)
    _save(tmp_path / "labels" / "a.nii.gz", label_unit)
    (files,) = find_cases(tmp_path, ABDOMEN, "ct")
    assert check_headers(files) == []
    volume = read_case(files)
    np.testing.assert_array_equal(volume.labels, VOXELS)
    np.testing.assert_allclose(volume.affine, AFFINE_MM, atol=2e-4)


def test_masks_in_different_units_are_scored_as_one_label_map(tmp_path):
    units = {"liver": "mm", "right_kidney": "meter", "left_kidney": "micron", "spleen": "unknown"}
    paths = [
        str(_save(tmp_path / f"{organ}.nii", unit, voxels=(index == VOXELS).astype(np.uint8)))
        for index, (organ, unit) in enumerate(units.items(), start=1)
    ]
    side = label_map_from(
        {"masks": {organ: f"{{case}}/{organ}.nii" for organ in units}}, ABDOMEN, "map.yaml"
    ).predictions
    np.testing.assert_array_equal(read_side(side, SideFiles(tuple(paths), None)).array, VOXELS)


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_labels_are_written_in_millimetres_onto_the_scan(tmp_path, unit):
    _, affine = read_nifti(_save(tmp_path / "scan.nii.gz", unit))
    write_labels(tmp_path / "labels.nii.gz", VOXELS, affine)
    image = nibabel.load(tmp_path / "labels.nii.gz")
    assert image.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(image.affine, AFFINE_MM, atol=2e-4)
    np.testing.assert_allclose(image.get_qform(), AFFINE_MM, atol=2e-4)


@pytest.mark.parametrize(
    ("unit", "written_as", "found"),
    [
        ("micron", "unknown", "6000 × 6000 × 8000 mm with xyzt_units 8"),
        ("meter", "mm", "0.006 × 0.006 × 0.008 mm with xyzt_units 10"),
        ("mm", "meter", "6000 × 6000 × 8000 mm with xyzt_units 9"),
        ("mm", "micron", "0.006 × 0.006 × 0.008 mm with xyzt_units 11"),
    ],
)
def test_sizes_that_no_scan_of_a_person_has_are_refused_by_every_reader(tmp_path, unit, written_as, found):
    path = _save(tmp_path / "images" / "a.nii.gz", unit, written_as)
    expected = f"{path}: expected voxel sizes of 0.01 to 100 mm, found {found}; set its spatial unit"
    for read in (read_nifti, read_nifti_labels):
        with pytest.raises(InputError) as caught:
            read(path)
        assert str(caught.value).startswith(expected)
    (problem,) = check_headers(*find_cases(tmp_path, ABDOMEN, "ct"))
    assert problem.check == "spacing"
    assert str(problem.problem).startswith(expected)


@pytest.mark.parametrize(("edge_mm", "is_read"), [(0.0099, False), (0.0101, True), (99.0, True), (101.0, False)])
def test_the_limits_of_voxel_sizes(tmp_path, edge_mm, is_read):
    affine = np.diag([1.0, 1.0, edge_mm, 1.0])
    image = nibabel.Nifti1Image(VOXELS, affine)
    image.set_sform(affine, 1)
    nibabel.save(image, tmp_path / "scan.nii")
    if is_read:
        assert read_nifti(tmp_path / "scan.nii")[1][2, 2] == pytest.approx(edge_mm)
    else:
        with pytest.raises(InputError, match="voxel sizes"):
            read_nifti(tmp_path / "scan.nii")
