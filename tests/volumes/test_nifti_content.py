"""What a file holds counts, not what it is called; and what is no NIfTI file is told by its name."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import nibabel
import numpy as np
import pytest

from attent_tf.datasets import find_cases, read_case
from attent_tf.errors import InputError
from attent_tf.scoring.label_map import label_map_from
from attent_tf.scoring.pairing import SideFiles
from attent_tf.scoring.reading import read_image, read_side
from attent_tf.volumes import read_nifti, read_nifti_labels, read_scan
from tests.support.abdomen import ABDOMEN, CT

AFFINE = np.diag([-2.0, 3.0, 4.0, 1.0])
VOXELS = (np.arange(60, dtype=np.uint8) % 5).reshape(5, 4, 3)


def _plain():
    image = nibabel.Nifti1Image(VOXELS, AFFINE)
    image.set_sform(AFFINE, code=1)
    return image.to_bytes()


def _packed():
    return gzip.compress(_plain(), mtime=0)


@pytest.mark.parametrize("content", [_plain, _packed])
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz", "SCAN.NII", "SCAN.NII.GZ"])
def test_every_reader_goes_by_the_content(tmp_path, content, name):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content())
    path = tmp_path / "images" / name
    (files,) = find_cases(tmp_path, ABDOMEN, "ct")
    side = label_map_from({}, ABDOMEN, "map.yaml").predictions
    read = [
        read_nifti(path)[0],
        read_nifti_labels(path)[0],
        read_scan(path, CT).voxels,
        read_case(files).voxels,
        read_case(files).labels,
        read_side(side, SideFiles((str(path),), None)).array,
        read_image(str(path)).array,
    ]
    for voxels in read:
        np.testing.assert_array_equal(voxels, VOXELS)
    np.testing.assert_array_equal(read_nifti(path)[1], AFFINE)


@pytest.mark.parametrize("content", [_plain, _packed])
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_a_file_that_ends_early_is_refused_whatever_it_is_called(tmp_path, content, name):
    (tmp_path / name).write_bytes(content()[:-3])
    for read in (read_nifti, read_nifti_labels):
        with pytest.raises(InputError, match=rf"{name}: expected a whole NIfTI file"):
            read(tmp_path / name)


def _zip():
    with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
        archive.writestr("scan.nii", _plain())
    return content.getvalue()


def _tar():
    with tarfile.open(fileobj=(content := io.BytesIO()), mode="w") as archive:
        archive.addfile(tarfile.TarInfo("scan.nii"))
    return content.getvalue()


def _pair():
    image = nibabel.Nifti1Pair(VOXELS, AFFINE)
    image.to_file_map(
        {
            "header": nibabel.FileHolder(fileobj=(header := io.BytesIO())),
            "image": nibabel.FileHolder(fileobj=io.BytesIO()),
        }
    )
    return header.getvalue()


KINDS = {
    "zip": (_zip, "a ZIP archive; unpack it"),
    "tar": (_tar, "a tar archive; unpack it"),
    "twice": (lambda: gzip.compress(_packed(), mtime=0), "content that was compressed twice; unpack it once"),
    "bzip2": (lambda: bz2.compress(_plain()), "content compressed by bzip2; unpack it"),
    "xz": (lambda: lzma.compress(_plain()), "content compressed by xz; unpack it"),
    "dicom": (lambda: b"\0" * 128 + b"DICM" + b"\0" * 200, "a DICOM file; give the folder that holds its series"),
    "pair": (_pair, r"the header of a NIfTI pair \(.hdr and .img\); convert both to one file"),
    "nrrd": (lambda: b"NRRD0004\ntype: short\n", "an NRRD file; convert it"),
    "lfs": (lambda: b"version https://git-lfs.github.com/spec/v1\n", "the pointer of a Git LFS file; fetch"),
    "page": (lambda: b"<!DOCTYPE html><html>Log in</html>", "a web page; download the file itself"),
    "empty": (lambda: b"", "an empty file; copy or download it again"),
    "noise": (lambda: bytes(range(1, 256)) * 4, r"other content \(no NIfTI header\); check or convert the file"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_other_content_is_named(tmp_path, kind, name):
    content, found = KINDS[kind]
    path = tmp_path / name
    for written in (content(), gzip.compress(content(), mtime=0)):
        path.write_bytes(written)
        with pytest.raises(InputError, match=rf"^{path}: expected a NIfTI file, found {found}"):
            read_nifti(path)
