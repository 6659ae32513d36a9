"""A job that is killed at any moment leaves nothing that a reader would take for complete, and nothing in the way of the next."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from attent_tf.data.verify import verify
from attent_tf.errors import InputError, RecordsError
from attent_tf.files import folder_written_aside
from tests.support.digests import file_digests

KILLS = 10
WORKERS = ["--", "--direct_running_mode=multi_processing", "--direct_num_workers=2"]


def _start(data, out, *arguments):
    command = [
        sys.executable,
        "-m",
        "cli.main",
        "preprocess",
        "--mri",
        str(data / "chaos"),
        "--ct",
        str(data / "malbcv"),
    ]
    # A shell lets what it starts in the background ignore the interrupt, and so would whatever these tests start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            [*command, "--out", str(out), *arguments],
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    finally:
        signal.signal(signal.SIGINT, before)


def _wait_for_work(process, out):
    while not list(out.parent.glob(".aside-*")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def _kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _complete(process):
    output, _ = process.communicate()
    assert process.returncode == 0, output


def _state(folder):
    """`whole`, `absent`, or what else a reader would say."""
    try:
        verify(folder)
    except RecordsError as error:
        return "absent" if "no such folder" in str(error) else str(error)
    return "whole"


@pytest.mark.slow
def test_killed_ten_times_it_completes_and_equals_an_undisturbed_job(data, tmp_path):
    reference, out = tmp_path / "reference", tmp_path / "target" / "records"
    begin = time.monotonic()
    _complete(_start(data, reference))
    seconds = time.monotonic() - begin
    chance = random.Random(7)
    states = []
    for turn in range(KILLS):
        process = _start(data, out, "--overwrite", *(WORKERS if turn % 3 == 2 else ()))
        if turn:
            time.sleep(chance.uniform(0.05, 1.1) * seconds)
        else:
            # Surely in the middle, however fast the machine is this time.
            _wait_for_work(process, out)
        _kill(process)
        states.append(_state(out))
    # Never half; and the kills were early enough to leave the folder absent for a while.
    assert set(states) <= {"absent", "whole"}
    assert states[0] == "absent"
    _complete(_start(data, out, "--overwrite"))
    assert file_digests(out) == file_digests(reference)
    assert [path.name for path in out.parent.iterdir()] == ["records"]


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_leaves_nothing(data, tmp_path):
    for attempt in range(5):
        out = tmp_path / f"target-{attempt}" / "records"
        process = _start(data, out)
        _wait_for_work(process, out)
        os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=300)
        # Now and then the interrupt falls into a finaliser, which swallows it; users press the keys again.
        if process.returncode != 0:
            break
    assert process.returncode == 130
    assert output.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in output
    assert not list(out.parent.iterdir())


def test_what_was_replaced_comes_back_after_a_kill_between_the_renames(tmp_path):
    """As `folder_written_aside` leaves it when it dies after the first of its two renames."""
    (tmp_path / ".aside-records-x.old").mkdir()
    (tmp_path / ".aside-records-x.old" / "manifest.json").write_text("old")
    (tmp_path / ".aside-records-x.new").mkdir()
    (tmp_path / ".aside-records-x.lock").write_text("")
    with (
        pytest.raises(InputError, match="expected a folder that does not exist yet"),
        folder_written_aside(tmp_path / "records"),
    ):
        pass
    assert (tmp_path / "records" / "manifest.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_what_a_living_job_writes_is_left_alone(tmp_path):
    with folder_written_aside(tmp_path / "records") as first:
        (first / "mine").write_text("1")
        with folder_written_aside(tmp_path / "records") as second:
            (second / "mine").write_text("2")
            assert (first / "mine").read_text() == "1"
        with (
            pytest.raises(InputError, match="expected a folder that does not exist yet"),
            folder_written_aside(tmp_path / "records"),
        ):
            pass
        (tmp_path / "records" / "mine").unlink()
    assert (tmp_path / "records" / "mine").read_text() == "1"


def test_overwriting_keeps_the_old_folder_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "records"
    path.mkdir()
    (path / "manifest.json").write_text("old")
    with contextlib.suppress(ZeroDivisionError), folder_written_aside(path, overwrite=True) as aside:
        (aside / "manifest.json").write_text("half")
        assert (path / "manifest.json").read_text() == "old"
        raise ZeroDivisionError
    assert (path / "manifest.json").read_text() == "old"
    with folder_written_aside(path, overwrite=True) as aside:
        (aside / "manifest.json").write_text("new")
    assert (path / "manifest.json").read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["records"]
