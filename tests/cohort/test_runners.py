"""The cohort job in other processes: the same bytes from each runner, and nothing half done after a kill."""

import contextlib
import json
import os
import signal
import time

import pytest

from tests.cohort.conftest import results
from tests.portability.runners import portable_flags
from tests.support.programs import Program

pytestmark = pytest.mark.slow


def test_two_worker_processes_write_the_same_bytes(work, listed, finished, tmp_path):
    job = work(listed, tmp_path / "out", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
    assert job.outcome.done == 2
    assert results(tmp_path / "out") == results(finished[0])


def test_a_job_server_over_grpc_writes_the_same_bytes(work, listed, finished, tmp_path):
    """The way by which FlinkRunner gets its jobs too; it is no cluster, and no test of Flink."""
    with portable_flags() as flags:
        job = work(listed, tmp_path / "out", *flags)
    assert job.outcome == finished[1].outcome
    assert results(tmp_path / "out") == results(finished[0])


def test_a_killed_job_leaves_nothing_half_done_and_is_taken_up(model, work, listed, finished, tmp_path):
    for attempt in range(5):
        out = tmp_path / f"out-{attempt}"
        words = ["segment", "--cohort", listed, "--model", model, "--out", out, "--batch-size", 5]
        process = Program("cli.main", *words, own_session=True)
        # The job writes its first files: it is in the middle.
        while process.poll() is None and not list(out.glob(".aside-*.nii.gz")) + list(out.glob("*.nii.gz")):
            time.sleep(0.002)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        # On a busy machine the job may be over before this process is woken.
        if not (out / "cohort.json").exists():
            break
    assert process.returncode == -signal.SIGKILL
    assert not (out / "cohort.json").exists()
    # What lies aside has a dot in front.
    for path in out.glob("[!.]*.json"):
        json.loads(path.read_text())
    for path in out.glob("[!.]*.nii.gz"):
        assert path.read_bytes() == (finished[0] / path.name).read_bytes()
    assert work(listed, out).outcome.done == 2
    assert results(out) == results(finished[0])
