"""Everything that only reads scans, preprocesses or reports works without TensorFlow."""

import subprocess
import sys

import pytest

from tests.support.loading import loaded_by_imports, modules_of

# Of these, every module is light.
LIGHT_THROUGHOUT = [
    "attent_tf.api",
    "attent_tf.volumes",
    "attent_tf.phantom",
    "attent_tf.metrics",
    "attent_tf.evaluation",
    "attent_tf.configs",
    "attent_tf.deployment",
    "attent_tf.methods",
    "attent_tf.reporting",
    "attent_tf.serving",
    "attent_tf.signs",
    "attent_tf.scoring",
    "attent_tf.cohort",
    "beam_preprocess",
    "cli",
]
# Of these, what importing them by name brings in.
LIGHT = [
    "attent_tf",
    "attent_tf.progress",
    "attent_tf.inference.volumes",
    "attent_tf.inference.scans",
    "attent_tf.inference.scan_report",
    "attent_tf.inference.dicom_seg",
    "cli.main",
]


@pytest.fixture(scope="module")
def loaded():
    """Module -> what its import has loaded, of all that are light, one after the other."""
    modules = [*LIGHT, *(module for package in LIGHT_THROUGHOUT for module in modules_of(package))]
    return loaded_by_imports(list(dict.fromkeys(modules)))


def test_importing_loads_no_tensorflow(loaded):
    heavy = {"tensorflow", "keras", "tensorboard"}
    assert {module: names & heavy for module, names in loaded.items() if names & heavy} == {}
    assert loaded.keys() <= set().union(*loaded.values())


def test_version_is_that_of_the_metadata(root):
    """`setup.py` reads the version without importing the package; both must be the same."""
    import attent_tf

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "--version"], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == attent_tf.__version__
