import numpy as np
import pytest

from attent_tf.phantom import write_phantom
from attent_tf.phantom.anatomy import make_anatomy


@pytest.fixture(scope="session")
def phantom_folder(tmp_path_factory):
    """One MR and one CT subject, written in this process."""
    out = tmp_path_factory.mktemp("phantom") / "out"
    write_phantom(out, subjects=1, seed=5, workers=1)
    return out


@pytest.fixture(scope="session")
def coarse_subjects():
    """Pairs of an anatomy and its tissues [slice, row, column] on `coarse_axes`, of several seeds."""
    anatomies = [make_anatomy(np.random.default_rng(seed)) for seed in range(3)]
    return [(anatomy, anatomy.paint(*coarse_axes())) for anatomy in anatomies]


def coarse_axes():
    """z rising, y falling, x falling, in millimetres: axis codes SPL."""
    return np.arange(-150, 161, 5.0), np.arange(150, -151, -3.0), np.arange(210, -211, -3.0)
