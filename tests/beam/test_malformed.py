"""Files that libraries let through: one clear line each, nothing written, and the other cases saved where that is asked for."""

import json
import shutil
import zipfile

import click.testing
import nibabel
import numpy as np
import pydicom
import pytest

from attent_tf.data.manifest import read_manifest
from attent_tf.data.verify import verify
from cli.main import main
from tests.support.nifti_fields import set_fields

CT_IMAGE = "malbcv/RawData/Training/img/img0002.nii.gz"
CT_LABEL = "malbcv/RawData/Training/label/label0002.nii.gz"
MR_SLICE = "chaos/Train_Sets/MR/2/T2SPIR/DICOM_anon/IMG-0002-00003.dcm"
MR_GROUND = "chaos/Train_Sets/MR/2/T2SPIR/Ground/IMG-0002-00003.png"


def _header(root, path=CT_IMAGE, **fields):
    """Changes fields of a NIfTI header as they stand in the file, with nothing mended on the way."""
    set_fields(root / path, **fields)


def _huge(root):
    _header(root, dim=[3, 30000, 30000, 30000, 1, 1, 1, 1])


def _nan_sform(root):
    _header(root, srow_y=[np.nan] * 4)


def _singular_sform(root):
    _header(root, srow_z=[0, 0, 0, 0])


def _zero_pixdim(root):
    _header(root, pixdim=[1, 2, 0, 5, 1, 1, 1, 1])


def _negative_pixdim(root):
    _header(root, pixdim=[1, -2, 2, 5, 1, 1, 1, 1])


def _no_orientation(root):
    _header(root, sform_code=0, qform_code=0)


def _metres_without_unit(root):
    image = nibabel.load(root / CT_IMAGE)
    affine = np.diag([1e-3, 1e-3, 1e-3, 1.0]) @ image.affine
    _header(root, pixdim=[1, 0.002, 0.002, 0.005, 1, 1, 1, 1], srow_x=affine[0], srow_y=affine[1], srow_z=affine[2])


def _long_quaternion(root):
    _header(root, sform_code=0, quatern_b=0.7, quatern_c=0.7, quatern_d=0.7)


def _zip_image(root):
    content = (root / CT_IMAGE).read_bytes()
    with zipfile.ZipFile(root / CT_IMAGE, "w") as archive:
        archive.writestr("img0002.nii.gz", content)


def _cut_image(root):
    path = root / CT_IMAGE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _cut_label(root):
    path = root / CT_LABEL
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _float_labels(root):
    image = nibabel.load(root / CT_LABEL)
    labels = np.asarray(image.dataobj).astype(np.float32) * 0.4
    nibabel.save(nibabel.Nifti1Image(labels, image.affine), root / CT_LABEL)


def _blurred_scaled_labels(root):
    image = nibabel.load(root / CT_LABEL)
    blurred = nibabel.Nifti1Image(np.asarray(image.dataobj) * 0.4, image.affine)
    blurred.set_data_dtype(np.int16)
    nibabel.save(blurred, root / CT_LABEL)


def _unknown_label(root):
    image = nibabel.load(root / CT_LABEL)
    labels = np.asarray(image.dataobj).copy()
    labels[0, 0, 0] = 77
    nibabel.save(nibabel.Nifti1Image(labels, image.affine), root / CT_LABEL)


def _shifted_label(root):
    image = nibabel.load(root / CT_LABEL)
    affine = image.affine.copy()
    affine[:3, 3] += 20
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), affine), root / CT_LABEL)


def _mirrored(root):
    for path in (CT_IMAGE, CT_LABEL):
        image = nibabel.load(root / path)
        flip = np.diag([-1.0, 1.0, 1.0, 1.0])
        nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), flip @ image.affine), root / path)


def _mirrored_qform(root):
    # The affine's first column and offset stay; the handedness turns over the last axis of the qform.
    image = nibabel.load(root / CT_IMAGE)
    _header(root, pixdim=[-image.header["pixdim"][0], *image.header["pixdim"][1:]])


def _one_value(root):
    image = nibabel.load(root / CT_IMAGE)
    nibabel.save(nibabel.Nifti1Image(np.full(image.shape, -7, np.int16), image.affine), root / CT_IMAGE)


def _nothing_but_air(root):
    image = nibabel.load(root / CT_IMAGE)
    voxels = np.random.default_rng(0).normal(-1000, 5, image.shape).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(voxels, image.affine), root / CT_IMAGE)


def _nan_voxels(root):
    image = nibabel.load(root / CT_IMAGE)
    voxels = image.get_fdata().astype(np.float32)
    voxels[3, 3, 3] = np.nan
    nibabel.save(nibabel.Nifti1Image(voxels, image.affine), root / CT_IMAGE)


def _long_pixels(root):
    scan = pydicom.dcmread(root / MR_SLICE)
    scan.PixelData = scan.PixelData * 2
    scan.save_as(root / MR_SLICE)


def _garbage_slice(root):
    (root / MR_SLICE).write_bytes(b"no DICOM at all" * 100)


def _moved_slice(root):
    scan = pydicom.dcmread(root / MR_SLICE)
    scan.ImagePositionPatient = [scan.ImagePositionPatient[0], scan.ImagePositionPatient[1], 500.0]
    scan.save_as(root / MR_SLICE)


def _lost_slice(root):
    (root / MR_SLICE).unlink()


def _lost_ground(root):
    (root / MR_GROUND).unlink()


def _garbage_ground(root):
    (root / MR_GROUND).write_bytes(b"\x89PNG\r\n\x1a\n" + b"no picture" * 20)


ROWS = [
    (_huge, "img0002.nii.gz: expected at most .* 30000 × 30000 × 30000"),
    (_nan_sform, "img0002.nii.gz: expected an affine that can be inverted"),
    (_singular_sform, "img0002.nii.gz: expected an affine that can be inverted"),
    (_zero_pixdim, "img0002.nii.gz: expected positive voxel sizes"),
    (_negative_pixdim, "img0002.nii.gz: expected positive voxel sizes"),
    (_no_orientation, "img0002.nii.gz: expected a known orientation"),
    (_metres_without_unit, "img0002.nii.gz: expected voxel sizes of 0.01 to 100 mm"),
    (_long_quaternion, "img0002.nii.gz: expected quatern_b, quatern_c and quatern_d whose squares add up to at most 1"),
    (_zip_image, "img0002.nii.gz: expected a NIfTI file, found a ZIP archive; unpack it"),
    (_cut_image, "img0002.nii.gz: expected a whole NIfTI file"),
    (_cut_label, "label0002.nii.gz: expected a whole NIfTI file"),
    (_float_labels, "label0002.nii.gz: expected whole numbers as labels"),
    (_blurred_scaled_labels, "label0002.nii.gz: expected whole numbers as labels"),
    (_unknown_label, "label0002.nii.gz: expected labels .* found 77"),
    (_shifted_label, "label0002.nii.gz: expected the affine of"),
    (_mirrored, "img0002.nii.gz: expected structures that lie and measure as in a patient"),
    (
        _mirrored_qform,
        "img0002.nii.gz: expected sform and qform that agree .* mirrors or turns the other, with corners up to",
    ),
    (_one_value, "img0002.nii.gz: expected a scan with contrast, found -7 in all voxels"),
    (_nothing_but_air, "img0002.nii.gz: expected a ct scan of a body, in Hounsfield units, found none in -10"),
    (_nan_voxels, "img0002.nii.gz: expected finite intensities"),
    (_long_pixels, "IMG-0002-00003.dcm: expected .* bytes of pixels"),
    (_garbage_slice, "IMG-0002-00003.dcm: expected a DICOM file"),
    (_moved_slice, "expected slices (in the order of their positions|at even steps)"),
    (_lost_slice, "IMG-0002-00003.png: expected a DICOM slice"),
    (_lost_ground, "IMG-0002-00003.dcm: expected a PNG"),
    (_garbage_ground, "IMG-0002-00003.png: expected a PNG"),
]
IDS = [damage.__name__.strip("_") for damage, _ in ROWS]


@pytest.fixture
def root(data, tmp_path):
    """A copy of the data that may be damaged."""
    for name in ("chaos", "malbcv"):
        shutil.copytree(data / name, tmp_path / "data" / name)
    return tmp_path / "data"


def _preprocess(root, *arguments):
    command = ["preprocess", "--mri", root / "chaos", "--ct", root / "malbcv", "--out", root.parent / "out" / "records"]
    return click.testing.CliRunner().invoke(main, [str(word) for word in (*command, *arguments)])


@pytest.mark.parametrize(("damage", "found"), ROWS, ids=IDS)
def test_the_check_finds_each_row_before_the_job(root, damage, found):
    damage(root)
    result = _preprocess(root, "--check", "--json")
    assert result.exit_code == 1
    problems = json.loads(result.stdout)["problems"]
    texts = [_line(problem) for problem in problems]
    assert any(found_in(found, text) for text in texts), texts
    assert {problem["case"] for problem in problems} <= {"chaos-2", "malbcv-0002"}
    assert not (root.parent / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "found"), ROWS, ids=IDS)
def test_each_row_is_one_line_that_writes_nothing_or_is_set_aside_and_the_others_come_out(root, damage, found):
    damage(root)
    stopped = _preprocess(root)
    assert stopped.exit_code != 0
    (line,) = [line for line in stopped.output.splitlines() if line.startswith("Error: ")]
    assert found_in(found, line)
    assert "Traceback" not in stopped.output
    assert not (root.parent / "out").exists() or not list((root.parent / "out").iterdir())

    result = _preprocess(root, "--on-error", "skip", "--split", "none")
    assert result.exit_code == 0, result.output
    records = root.parent / "out" / "records"
    verify(records)
    (rejected,) = [json.loads(line) for line in (records / "rejected.jsonl").read_text().splitlines()]
    bad = "chaos-2" if "IMG" in found or "slices" in found else "malbcv-0002"
    assert rejected["case"] == bad
    assert found_in(found, rejected["message"])
    everyone = {"chaos-1", "chaos-2", "malbcv-0001", "malbcv-0002", "malbcv-0010"}
    assert {case.case for case in read_manifest(records).cases} == everyone - {bad}
    assert "1 case" in result.output
    assert "rejected.jsonl" in result.output
    checked = json.loads(_preprocess(root, "--split", "none", "--check", "--json").stdout)["problems"]
    assert (bad, rejected["reason"], rejected["message"]) in [
        (problem["case"], problem["check"], _line(problem)) for problem in checked
    ]


def _line(problem: dict) -> str:
    return f"{problem['where']}: expected {problem['expected']}, found {problem['found']}; {problem['advice']}"


def found_in(pattern: str, line: str) -> bool:
    """Whether a line holds a pattern in which dots of file names stand for themselves."""
    import re

    for suffix in ("nii.gz", "dcm", "png"):
        pattern = pattern.replace(suffix, suffix.replace(".", r"\."))
    return re.search(pattern, line) is not None
