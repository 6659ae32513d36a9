"""A Flink cluster that loses a machine: the same bytes where it may restart, one line and nothing half-written where it may not.

Run: make check-runners, or python -m tests.portability.check_cluster
Starts a JobManager, two TaskManagers and a worker pool on the loopback, and hands them `attent preprocess` of eight phantom
cases as docs/preprocessing-at-scale.md says. A damaged scan is told in one line, and set aside with `--on-error skip`. Then a
TaskManager that is at work is killed. Skipped with a line where there is no Java or no Maven; the exit code is 1 if anything is
not as it should be.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.portability import flink_cluster, job_servers
from tests.portability.flink_cluster import FlinkCluster
from tests.portability.processes import kill, wait_until
from tests.support.digests import file_digests

CASES = 8
_JOB_SECONDS = 600
_NOTES_BEFORE_THE_KILL = 2


@dataclasses.dataclass(frozen=True)
class Job:
    """What `attent preprocess` said, and how it ended."""

    code: int
    lines: list[str]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Bench:
    """The data of all checks.

    Attributes:
      jar: the job server's.
      scratch: for results.
      data: phantom with `chaos` and `malbcv`.
      damaged: the folder `malbcv` with one scan cut short.
      reference: what a job on this machine gives, by file.
      counted: and what its last line of counters says.
    """

    jar: Path
    scratch: Path
    data: Path
    damaged: Path
    reference: dict[str, str]
    counted: str


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="cluster-") as folder:
        scratch = Path(folder)
        try:
            jar = job_servers.job_server_jar(job_servers.FLINK)
        except job_servers.Skipped as reason:
            print(f"skipped: Flink, a cluster: {reason}", flush=True)
            return 0
        bench = _bench(jar, scratch)
        for name, settings, checks in (
            ("restarts", flink_cluster.RESTARTS, (_one_line, _set_aside, _goes_on)),
            ("no-restarts", {"restart-strategy.type": "none"}, (_ends_and_completes,)),
        ):
            place = scratch / name
            place.mkdir()
            with flink_cluster.started(jar, place, settings) as cluster:
                for check in checks:
                    start = time.monotonic()
                    check(bench, cluster)
                    print(f"Flink, a cluster: {check.__doc__} {time.monotonic() - start:.1f} s", flush=True)
    return 0


def _one_line(bench: Bench, cluster: FlinkCluster) -> None:
    """A damaged scan ends the job with its line."""
    job = _preprocess(bench, cluster, "refused", ct=bench.damaged)
    _expect(job, job.code == 1 and "img0002.nii.gz: " in job.lines[-1], "one line about img0002.nii.gz")
    _expect(job, not any("Traceback" in line for line in job.lines), "no traceback")
    _expect(job, _left(bench.scratch / "refused") == [], "nothing that is left")


def _set_aside(bench: Bench, cluster: FlinkCluster) -> None:
    """A damaged scan is set aside, and counted."""
    job = _preprocess(bench, cluster, "skipped", "--on-error", "skip", ct=bench.damaged)
    _expect(job, job.code == 0, "a job that ends well")
    counted = f"Counted by the workers: {CASES - 1} cases, "
    _expect(job, any(line.startswith(counted) and "1 rejected (content 1)" in line for line in job.lines), counted)
    _expect(job, "rejected.jsonl" in file_digests(bench.scratch / "skipped" / "records"), "rejected.jsonl")


def _goes_on(bench: Bench, cluster: FlinkCluster) -> None:
    """A TaskManager is killed at work: the job goes on and gives the same bytes."""
    job = _preprocess(bench, cluster, "killed", meanwhile=cluster.kill_a_busy_one)
    _expect(job, job.code == 0, "a job that ends well")
    _expect(job, file_digests(bench.scratch / "killed" / "records") == bench.reference, "the same bytes")
    _expect(job, bench.counted in job.lines, bench.counted)


def _ends_and_completes(bench: Bench, cluster: FlinkCluster) -> None:
    """Without restarts a killed TaskManager ends the job with a line and no records, and the next job completes."""
    job = _preprocess(bench, cluster, "ended", meanwhile=cluster.kill_a_busy_one)
    errors = [line for line in job.lines if line.startswith("Error: ")]
    _expect(job, job.code == 1 and job.lines[-1:] == errors, "one line that says it")
    _expect(job, not any("Traceback" in line for line in job.lines), "no traceback")
    _expect(job, _left(bench.scratch / "ended") == [], "nothing that is left")
    print(f"  told: {job.lines[-1]}", flush=True)
    job = _preprocess(bench, cluster, "ended")
    _expect(job, file_digests(bench.scratch / "ended" / "records") == bench.reference, "the same bytes")


def _bench(jar: Path, scratch: Path) -> Bench:
    from attent_tf.phantom import write_phantom

    data, damaged = scratch / "phantom", scratch / "damaged"
    write_phantom(data, subjects=CASES // 2, seed=0)
    shutil.copytree(data / "malbcv", damaged)
    scan = damaged / "RawData" / "Training" / "img" / "img0002.nii.gz"
    scan.write_bytes(scan.read_bytes()[:5000])
    job = _run(scratch / "reference" / "records", data, data / "malbcv", [])
    _expect(job, job.code == 0, "a job on this machine")
    counted = next(line for line in job.lines if line.startswith("Counted by the workers: "))
    return Bench(jar, scratch, data, damaged, file_digests(scratch / "reference" / "records"), counted)


def _preprocess(
    bench: Bench,
    cluster: FlinkCluster,
    name: str,
    *arguments: str,
    ct: Path | None = None,
    meanwhile: Callable[[], str] | None = None,
) -> Job:
    out = bench.scratch / name / "records"
    return _run(out, bench.data, ct or bench.data / "malbcv", [*arguments, "--", *cluster.flags(bench.jar)], meanwhile)


def _run(out: Path, data: Path, ct: Path, arguments: list[str], meanwhile: Callable[[], str] | None = None) -> Job:
    """Runs `attent preprocess`, and something else once some of its cases are done and others are not."""
    out.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cli.main", "preprocess", "--mri", f"{data}/chaos", "--ct", str(ct)]
    start = time.monotonic()
    process = subprocess.Popen(
        [*command, "--split", "none", "--out", str(out), *arguments],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=job_servers.java_environment(),
    )
    try:
        if meanwhile is not None:
            wait_until(
                lambda: _done(out) >= _NOTES_BEFORE_THE_KILL,
                _JOB_SECONDS,
                "the first cases",
                [process],
            )
            killed = meanwhile()
            print(f"  killed {killed} with {_done(out)} of {CASES} cases done", flush=True)
        output, _ = process.communicate(timeout=_JOB_SECONDS)
    finally:
        kill(process)
    return Job(process.returncode, output.splitlines(), time.monotonic() - start)


def _done(out: Path) -> int:
    """Returns how many cases have left their note beside a folder that is being made."""
    works = out.parent.glob(".aside-*/work")
    return sum(1 for work in works for _ in work.glob("case-*.json"))


def _left(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def _expect(job: Job, right: bool, what: str) -> None:
    if not right:
        told = "\n".join(job.lines[-30:])
        raise SystemExit(f"FAILED: Flink, a cluster: expected {what}; code {job.code}, and the job said:\n{told}")


if __name__ == "__main__":
    sys.exit(main())
