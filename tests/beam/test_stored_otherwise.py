"""Labels as other tools store them make the records of labels that are stored as their scan: the same bytes."""

import gzip
import shutil

import nibabel
import numpy as np
import pytest
from nibabel import orientations

import beam_preprocess
from beam_preprocess.survey import check
from tests.support.digests import file_digests
from tests.support.jobs import abdomen_options


def _along_other_axes(path, codes):
    image = nibabel.load(path)
    turn = orientations.ornt_transform(
        orientations.io_orientation(image.affine), orientations.axcodes2ornt(tuple(codes))
    )
    nibabel.save(image.as_reoriented(turn), path)


def _scaled(path, _):
    image = nibabel.load(path)
    floats = nibabel.Nifti1Image(image.get_fdata(), image.affine, image.header)
    floats.set_data_dtype(np.int16)
    nibabel.save(floats, path)


def _unpacked(path, _):
    path.write_bytes(gzip.decompress(path.read_bytes()))


@pytest.fixture(scope="module")
def folder_of(data):
    """Function that preprocesses a MALBCV folder."""

    def make(root, out):
        from attent_tf.volumes import PrepareOptions

        options = abdomen_options(out=str(out), ct=str(root), prepare=PrepareOptions(size=144, pixel_mm=2.0))
        beam_preprocess.run(options)
        return file_digests(out)

    return make


@pytest.fixture(scope="module")
def plain(data, folder_of, tmp_path_factory):
    return folder_of(data / "malbcv", tmp_path_factory.mktemp("plain") / "records")


@pytest.mark.slow
@pytest.mark.parametrize("change", [_along_other_axes, _scaled, _unpacked])
def test_records_are_the_same_bytes(data, plain, folder_of, tmp_path, change):
    shutil.copytree(data / "malbcv", tmp_path / "malbcv")
    paths = sorted((tmp_path / "malbcv").glob("**/label*.nii.gz"))
    for path, codes in zip(paths, ("RPI", "SAL", "PLI"), strict=True):
        before = path.read_bytes()
        change(path, codes)
        assert path.read_bytes() != before
    found = check(abdomen_options(out="", ct=str(tmp_path / "malbcv")))
    assert (found.problems, found.warnings) == ((), ())
    assert folder_of(tmp_path / "malbcv", tmp_path / "records") == plain
