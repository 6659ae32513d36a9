"""The Makefile installs once, from the lock, and says in one line what a machine lacks."""

import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def make(root, tmp_path):
    """Runs make in the checkout with an environment folder of its own."""

    def run(*arguments):
        command = ["make", "--no-print-directory", f"VENV={tmp_path / 'venv'}", *arguments]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    return run


def _script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_help_lists_the_targets(make):
    listed = make().stdout
    for target in ("demo", "test", "test-fast", "lint", "format", "lock", "clean"):
        assert f"make {target} " in listed


def test_demo_installs_from_the_lock_with_hashes(make):
    plan = make("--dry-run", "demo").stdout
    assert "-m venv" in plan
    assert "--require-hashes" in plan
    assert "--requirement requirements.lock" in plan
    assert plan.index("--requirement requirements.lock") < plan.index("attent demo --out demo")


def test_second_call_installs_nothing(make, tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    _script(tmp_path / "venv" / "bin" / "python", "exit 0")
    (tmp_path / "venv" / ".runtime-installed").touch()
    plan = make("--dry-run", "demo").stdout.splitlines()
    assert plan == [f"{tmp_path}/venv/bin/attent demo --out demo"]


def test_python_that_is_too_old(make, tmp_path):
    old = _script(tmp_path / "python", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    ended = make("demo", f"PYTHON={old}")
    assert ended.returncode != 0
    line = ended.stderr.splitlines()[0]
    assert "expected Python 3.11, 3.12 or 3.13, found Python 3.9.2" in line
    assert not (tmp_path / "venv").exists()


def test_python_that_is_missing(make):
    ended = make("demo", "PYTHON=no-such-python")
    assert ended.returncode != 0
    assert "found nothing that runs" in ended.stderr.splitlines()[0]


def test_python_without_venv(make, tmp_path):
    bare = _script(tmp_path / "python", 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
    ended = make("demo", f"PYTHON={bare}")
    assert ended.returncode != 0
    assert "python3-venv" in ended.stderr.splitlines()[0]
