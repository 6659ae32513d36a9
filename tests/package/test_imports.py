"""Everything that only reads scans, preprocesses or reports works without TensorFlow."""

import json
import subprocess
import sys

import pytest

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


def _modules_of(package, root):
    for path in sorted((root / package.replace(".", "/")).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _loaded_after_importing(modules, root):
    """Returns the names of the modules that a fresh interpreter has loaded after importing `modules`."""
    script = (
        "import importlib, json, sys\n"
        f"for name in {list(modules)!r}: importlib.import_module(name)\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", LIGHT + LIGHT_THROUGHOUT)
def test_importing_loads_no_tensorflow(name, root):
    modules = [name, *_modules_of(name, root)] if name in LIGHT_THROUGHOUT else [name]
    loaded = _loaded_after_importing(modules, root)
    assert loaded >= set(modules)
    assert not loaded & {"tensorflow", "keras", "tensorboard"}


def test_version_is_that_of_the_metadata(root):
    """`setup.py` reads the version without importing the package; both must be the same."""
    import attent_tf

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "setup.py", "--version"], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == attent_tf.__version__
