"""Two small data folders in the layouts of CHAOS and MALBCV, and options that copy their voxels."""

import shutil
from pathlib import Path

import pytest

import beam_preprocess
from attent_tf.volumes import PrepareOptions
from tests.support.folders import PIXEL_MM, SIZE
from tests.support.jobs import abdomen_options
from tests.support.small_runs import write_small_data


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Folder with `chaos` (patients 1, 2) and `malbcv` (1, 2, 10), which SIFA's split parts into test and training."""
    return write_small_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def make_options(data, tmp_path):
    """Function that returns options for the data folder; arguments change them."""

    def make(**changes):
        return _options(data, **{"out": tmp_path / "records"} | changes)

    return make


@pytest.fixture
def damaged(data, tmp_path):
    """Copy of the CT folder in which one file is cut off."""
    root = tmp_path / "damaged"
    shutil.copytree(data / "malbcv", root)
    path = root / "RawData" / "Training" / "img" / "img0002.nii.gz"
    path.write_bytes(path.read_bytes()[:5000])
    return root


@pytest.fixture(scope="session")
def made(data, tmp_path_factory):
    """Options and folder of one ordinary job; tests only read it."""
    options = _options(data, out=tmp_path_factory.mktemp("made") / "records")
    beam_preprocess.run(options)
    return options, Path(options.out)


def _options(data, **given):
    defaults = {
        "mri": str(data / "chaos"),
        "ct": str(data / "malbcv"),
        "prepare": PrepareOptions(size=SIZE, pixel_mm=PIXEL_MM),
    }
    return abdomen_options(**defaults | given | {"out": str(given["out"])})
