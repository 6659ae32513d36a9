"""What a user installs is enough: scans become records, run, scores and model where only what `requirements.lock` pins can be
imported.
"""

import os
import re
import subprocess
import sys

import pytest

from tests.support.hiding import canonical
from tests.support.small_runs import write_small_data

pytestmark = pytest.mark.slow


def test_the_commands_run_on_the_locked_packages_alone(root, tmp_path):
    locked = re.findall(r"^([\w.-]+)(?:\[.*\])?==", (root / "requirements.lock").read_text(), re.M)
    allowed = {canonical(name) for name in locked} | {"attent-tf"}
    assert "pytest" not in allowed
    data = write_small_data(tmp_path / "data")
    # An environment for development holds more than the runtime lock.
    hiding = ("-m", "tests.support.hiding", "with", ",".join(sorted(allowed)))
    done = subprocess.run(
        [sys.executable, *hiding, "tests.package.locked_commands", str(data)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "scores" / "report" / "index.html").is_file()
    assert (tmp_path / "model" / "1" / "saved_model.pb").is_file()
