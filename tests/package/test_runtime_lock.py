"""What a user installs is enough: scans become records, run, scores and model where only what `requirements.lock` pins can be
imported.
"""

import os
import re
import subprocess
import sys

import pytest

from tests.support.hiding import canonical
from tests.support.loading import modules_of
from tests.support.small_runs import TINY, write_small_data


@pytest.mark.slow
def test_the_commands_run_on_the_locked_packages_alone(root, tmp_path):
    locked = re.findall(r"^([\w.-]+)(?:\[.*\])?==", (root / "requirements.lock").read_text(), re.M)
    allowed = {canonical(name) for name in locked} | {"attent-tf"}
    assert "pytest" not in allowed
    environment = os.environ | {"PYTHONPATH": str(root)}

    def run(*arguments):
        # An environment for development holds more than the runtime lock.
        hiding = ("-m", "tests.support.hiding", "with", ",".join(sorted(allowed)))
        command = [sys.executable, *hiding, *map(str, arguments)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]

    def attent(*words):
        run("cli.main", *words)

    data = write_small_data(tmp_path / "data")
    settings = [word for setting in TINY for word in ("--set", setting)]
    attent("preprocess", "--mri", data / "chaos", "--ct", data / "malbcv", "--out", "records")
    what = ("--direction", "mri2ct", "--method", "source_only", "--config", "demo")
    attent("train", "--records", "records", "--out", "run", *what, *settings)
    attent("evaluate", "--run", "run", "--records", "records", "--out", "scores")
    attent("export", "--run", "run", "--out", "model")
    run("tests.support.loading", "import", *modules_of("attent_tf.models"), *modules_of("attent_tf.training"))
    assert (tmp_path / "scores" / "report" / "index.html").is_file()
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()
