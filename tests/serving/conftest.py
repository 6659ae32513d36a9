"""An exported model on a server, in a process of its own."""

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.untrained_runs import write_untrained_run

_SERVER = Path(__file__).with_name("rest_server.py")


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return write_untrained_run(tmp_path_factory.mktemp("serving") / "run")


@pytest.fixture(scope="session")
def model(run, tmp_path_factory):
    """The folder of a model with one version."""
    from attent_tf.export.saved_model import export_chain

    return export_chain(run, tmp_path_factory.mktemp("models") / "attent").folder.parent


@contextlib.contextmanager
def served(folder):
    """Serves a model's folder as `attent` and yields the address."""
    # A file and no pipe: nobody reads while tests run, and the server must not wait for that.
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(_SERVER), str(folder), "attent"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            line = process.stdout.readline()
            assert line.startswith("ready"), said.seek(0) or said.read()
            yield f"http://127.0.0.1:{line.split()[1]}"
        finally:
            # The end of its input ends the server.
            process.communicate(timeout=300)


@pytest.fixture(scope="session")
def address(model):
    with served(model) as address:
        yield address
