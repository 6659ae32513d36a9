"""Two small data folders in the layouts of CHAOS and MALBCV, and options that copy their voxels."""

import pytest

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
        defaults = {
            "out": str(tmp_path / "records"),
            "mri": str(data / "chaos"),
            "ct": str(data / "malbcv"),
            "prepare": PrepareOptions(size=SIZE, pixel_mm=PIXEL_MM),
        }
        return abdomen_options(**defaults | changes)

    return make
