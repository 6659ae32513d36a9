"""What a user installs is enough: a run of every stage where only the packages of `requirements.lock` can be imported."""

import os
import re
import subprocess
import sys

import pytest

from tests.support.small_runs import TINY, write_small_data

# An environment for development holds more than the runtime lock. A finder in front of all others hides the surplus.
_SITE = """
import importlib.abc, importlib.metadata, re, sys

def _canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()

class Hidden(importlib.abc.MetaPathFinder):
    def __init__(self, locked):
        self._hidden = {
            module for module, owners in importlib.metadata.packages_distributions().items()
            if not any(_canonical(owner) in locked for owner in owners)
        }

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self._hidden:
            raise ModuleNotFoundError(f"No module named {name!r} (not in requirements.lock)", name=name)
        return None

sys.meta_path.insert(0, Hidden(set(sys.argv.pop(1).split(","))))
import attent_tf.runtime
from cli.main import main
main()
"""


@pytest.mark.slow
def test_every_stage_runs_on_the_locked_packages_alone(root, tmp_path):
    locked = re.findall(r"^([\w.-]+)==", (root / "requirements.lock").read_text(), re.M)
    allowed = {re.sub(r"[-_.]+", "-", name).lower() for name in locked} | {"attent-tf"}
    assert "pytest" not in allowed
    script = tmp_path / "attent_locked.py"
    script.write_text(_SITE)
    environment = os.environ | {"PYTHONPATH": str(root)}

    def attent(*arguments):
        command = [sys.executable, str(script), ",".join(sorted(allowed)), *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    data = write_small_data(tmp_path / "data")
    settings = [word for setting in TINY for word in ("--set", setting)]
    attent("preprocess", "--mri", data / "chaos", "--ct", data / "malbcv", "--out", "records")
    what = ("--direction", "mri2ct", "--method", "attent", "--config", "demo")
    attent("train", "--records", "records", "--out", "run", *what, *settings)
    attent("evaluate", "--run", "run", "--records", "records", "--out", "scores")
    attent("export", "--run", "run", "--out", "model")
    assert (tmp_path / "scores" / "report" / "index.html").is_file()
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()
