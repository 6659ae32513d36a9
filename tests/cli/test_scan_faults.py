"""What keeps one scan of a folder from being done is one line and the others go on; a fault of the machine ends the command."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf import volumes
from attent_tf.configs import load_config
from attent_tf.inference import scans as scan_pipeline
from attent_tf.methods import get_method
from attent_tf.runs import Run
from attent_tf.runs.run import create_or_check
from attent_tf.tasks import load_task
from attent_tf.volumes import PrepareOptions, write_scan
from cli.deployed import Deployed
from cli.main import main
from tests.inference.oracle import Oracle

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = PrepareOptions(size=64, pixel_mm=5.0)
LONG = "n" * 120


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    create_or_check(
        Run(folder, get_method("attent"), "mri2ct", load_config("demo"), "f" * 64, OPTIONS, load_task()), ()
    )
    return folder


def _write(path, slices=4):
    voxels = np.full((60, 50, slices), -1000, np.int16)
    voxels[10:50, 10:40] = 40 + np.random.default_rng(0).integers(-60, 60, (40, 30, slices))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scan(path, voxels, np.diag([4.0, 4.0, 5.0, 1.0]), np.int16)
    return path


@pytest.fixture
def scans(tmp_path):
    """A folder with the good scans `a` and `z`."""
    for name in "az":
        _write(tmp_path / "scans" / f"{name}.nii.gz")
    return tmp_path / "scans"


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """Puts the oracle in the networks' place, and counts how often a chain is asked for."""
    calls = []

    def open_chain(run, batch_size):
        calls.append(run)
        return Deployed(Oracle(), "an oracle", 2)

    monkeypatch.setattr("cli.deployed.open_chain", open_chain)
    return calls


def _attent(verb, run, scans, out, *words):
    words = (verb, "--run", run, "--input", scans, "--out", out, *words)
    return CliRunner().invoke(main, [str(word) for word in words])


def _one_failed(result, *words):
    """Checks that one scan failed, and that its line holds the words."""
    assert result.exit_code == 3, result.output + repr(result.exception)
    head, line = result.stderr.splitlines()[-2:]
    assert head.startswith("Error: 1 of ")
    assert all(word in line for word in words), line


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("verb", ["segment", "translate"])
def test_a_joined_name_that_is_too_long_is_told_before_any_work(verb, run, scans, tmp_path):
    long = _write(scans / LONG / LONG / "sub" / f"{'s' * 20}.nii.gz")
    result = _attent(verb, run, scans, tmp_path / "out", "--report", tmp_path / "report.json")
    _one_failed(result, str(long), "expected a name of at most 248 bytes", "found 266 bytes")
    assert result.output.startswith(f"[1/3] failed: {long}: expected a name of at most 248 bytes")
    assert "[2/3] a\n" in result.output
    assert _names(tmp_path / "out") == ["a.nii.gz", "z.nii.gz"]
    assert [failed["input"] for failed in json.loads((tmp_path / "report.json").read_text())["failed"]] == [str(long)]


def test_a_name_is_too_long_only_where_its_files_are(run, scans, tmp_path):
    """The joined name has 235 bytes: a label map's fits, that of probabilities has one byte too many."""
    long = _write(scans / LONG / LONG[:112] / "s.nii.gz")
    assert _attent("segment", run, scans, tmp_path / "labels", "--entropy").exit_code == 0
    assert len(_names(tmp_path / "labels")) == 6
    result = _attent("segment", run, scans, tmp_path / "out", "--probabilities")
    _one_failed(result, str(long), "expected names of at most 255 bytes", "found 256 bytes in n")
    names = ["a.nii.gz", "a_probabilities.nii.gz", "z.nii.gz", "z_probabilities.nii.gz"]
    assert _names(tmp_path / "out") == names


def test_a_name_that_other_commands_would_refuse_is_not_written(run, scans, tmp_path):
    bad = _write(scans / "in: 2.nii.gz")
    _one_failed(_attent("segment", run, scans, tmp_path / "out"), str(bad), "expected a name without", "'in: 2'")
    assert _names(tmp_path / "out") == ["a.nii.gz", "z.nii.gz"]


def test_bytes_that_are_no_text_are_shown_as_escapes(run, scans, tmp_path):
    (scans / "a.nii.gz").rename(Path(os.fsdecode(os.fsencode(scans) + b"/\xff.nii.gz")))
    _one_failed(_attent("segment", run, scans, tmp_path / "out"), "\\udcff.nii.gz: expected a name without")
    assert _names(tmp_path / "out") == ["z.nii.gz"]


@pytest.mark.parametrize("part", ["out", "folder", "report"])
def test_output_names_that_are_too_long_end_the_command_in_one_line(part, run, scans, opened, tmp_path):
    name = 250 * "n"
    source, out, words = {
        "out": (scans / "a.nii.gz", tmp_path / f"{name}.nii.gz", ()),
        "folder": (scans, tmp_path / (name + name), ()),
        "report": (scans, tmp_path / "out", ("--report", tmp_path / f"{name}x.json")),
    }[part]
    result = _attent("segment", run, source, out, *words)
    assert result.exit_code == 1, result.output + repr(result.exception)
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert "expected names of at most 255 bytes" in line
    assert opened == []


def _fail(monkeypatch, place, error):
    """Lets the reading, the preparing or the writing of the scan `b` fail."""
    name = {"reading": "read_scan", "preparing": "prepare", "writing": "write_labels"}[place]
    where, real = volumes if place == "writing" else scan_pipeline, getattr(volumes, name)

    def failing(what, *words):
        if (what.case if place == "preparing" else Path(what).name.removesuffix(".nii.gz")) == "b":
            raise error
        return real(what, *words)

    monkeypatch.setattr(where, name, failing)


@pytest.mark.parametrize(
    "code", [errno.EACCES, errno.EIO, errno.EFBIG, errno.ENAMETOOLONG, errno.ENOENT, errno.ESTALE, errno.EISDIR]
)
@pytest.mark.parametrize("place", ["reading", "writing"])
def test_whatever_the_system_says_of_one_scan_is_its_own(code, place, run, scans, tmp_path, monkeypatch):
    bad = _write(scans / "b.nii.gz")
    _fail(monkeypatch, place, OSError(code, os.strerror(code)))
    _one_failed(_attent("segment", run, scans, tmp_path / "out"), f"{bad}: expected ", "found ", "; ")
    assert _names(tmp_path / "out") == ["a.nii.gz", "z.nii.gz"]


@pytest.mark.parametrize("place", ["reading", "writing"])
def test_a_fault_of_the_machine_ends_the_command_in_one_line(place, run, scans, tmp_path, monkeypatch):
    _write(scans / "b.nii.gz")
    _fail(monkeypatch, place, OSError(errno.ENOSPC, "No space left on device"))
    result = _attent("segment", run, scans, tmp_path / "out")
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert "No space left on device" in line
    assert _names(tmp_path / "out") == ["a.nii.gz"]


def test_a_scan_that_does_not_fit_into_the_memory_is_one_line(run, scans, tmp_path, monkeypatch):
    _write(scans / "b.nii.gz")
    _fail(monkeypatch, "preparing", MemoryError())
    _one_failed(_attent("segment", run, scans, tmp_path / "out"), "b.nii.gz: expected a scan that fits into the memory")


@pytest.mark.parametrize("stray", ["pipe", "dangling link"])
def test_what_only_looks_like_a_scan_is_one_line(stray, run, scans, tmp_path):
    place = scans / "b.nii.gz"
    os.mkfifo(place) if stray == "pipe" else place.symlink_to(tmp_path / "nothing")
    _one_failed(_attent("segment", run, scans, tmp_path / "out"), f"{place}: expected ")
    assert _names(tmp_path / "out") == ["a.nii.gz", "z.nii.gz"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_scan_that_may_not_be_read_is_one_line(kind, run, scans, tmp_path):
    closed = _write(scans / "b" / "b.nii.gz")
    closed = closed if kind == "file" else closed.parent
    closed.chmod(0)
    try:
        _one_failed(_attent("segment", run, scans, tmp_path / "out"), str(closed), "ermission denied")
    finally:
        closed.chmod(0o700)


def test_a_folder_that_cannot_be_listed_is_not_left_out_silently(run, scans, tmp_path, monkeypatch):
    (scans / "b").mkdir()
    real = os.scandir

    def scandir(path):
        if Path(path).name == "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    _one_failed(_attent("segment", run, scans, tmp_path / "out"), f"{scans / 'b'}: expected ")


@pytest.mark.slow
def test_a_result_that_is_larger_than_files_may_be_is_one_line(run, scans, tmp_path):
    """As `ulimit -f` has it, or a file system: the probabilities of the scan with many slices do not fit."""
    big = _write(scans / "b.nii.gz", slices=40)
    words = ("segment", "--run", run, "--input", scans, "--out", tmp_path / "out", "--probabilities")
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.limited", "100000", *map(str, words)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert f"  {big}: expected a scan that can be read and results that can be written, found file too" in done.stderr
    names = ["a.nii.gz", "a_probabilities.nii.gz", "z.nii.gz", "z_probabilities.nii.gz"]
    assert _names(tmp_path / "out") == names


def test_a_folder_that_may_not_be_written_to_is_told_before_any_work(run, scans, opened, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode, **_: Path(place) != tmp_path)
    result = _attent("segment", run, scans, tmp_path / "out")
    assert result.exit_code == 1
    assert "expected a folder that can be written to" in result.stderr
    assert opened == []
