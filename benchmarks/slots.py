"""`attent preprocess` on 1, 2 and 4 slots: cases an hour, and what memory the processes of a slot take.

Run: python benchmarks/slots.py [--cases 24] [--shape 512 512 200] [--slots 1 2 4] [--engines direct flink]
Makes that many labelled CTs as benchmarks/preprocessing.py does, and preprocesses them with DirectRunner in so many worker
processes, and on a Flink cluster on the loopback (a JobManager, TaskManagers of two slots, one worker pool; Java 17 and Maven)
with that parallelism. Cases an hour are those between the first cases that are done, one for each slot, and the last one, so
that starting an engine is not in them. Memory is the largest resident one of a process: of the main program and its
workers, of the pool's workers, of a TaskManager's JVM.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from measured_process import peak_of_group
from preprocessing import write_cases

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the clusters of the checks

from tests.portability import flink_cluster, job_servers  # noqa: E402

TASK_MANAGER_SLOTS = 2


@contextlib.contextmanager
def direct(slots: int, scratch: Path) -> Iterator[tuple[list[str], dict[str, int]]]:
    """Yields flags, and processes beside the job's own that are worth a look."""
    del scratch
    yield [] if slots == 1 else ["--direct_running_mode=multi_processing", f"--direct_num_workers={slots}"], {}


@contextlib.contextmanager
def flink(slots: int, scratch: Path) -> Iterator[tuple[list[str], dict[str, int]]]:
    """Likewise, of a cluster with just so many slots."""
    jar, folder = job_servers.job_server_jar(job_servers.FLINK), scratch / f"flink-{slots}"
    folder.mkdir()
    machines = -(-slots // TASK_MANAGER_SLOTS)
    with flink_cluster.started(jar, folder, flink_cluster.RESTARTS, machines) as cluster:
        others = {"a worker of the pool": cluster.pool.pid}
        others["a TaskManager's JVM"] = next(iter(cluster.task_managers.values())).pid
        yield cluster.flags(jar, slots), others


ENGINES = {"direct": direct, "flink": flink}


def measure(engine: str, slots: int, scans: Path, scratch: Path) -> str:
    """Runs the job once; returns a line of the table."""
    out, done = scratch / f"records-{engine}-{slots}", []
    command = [sys.executable, "-m", "cli.main", "preprocess", "--ct", str(scans), "--split", "none", "--out", str(out)]
    with ENGINES[engine](slots, scratch) as (flags, others), contextlib.ExitStack() as stack:
        start = time.monotonic()
        process = subprocess.Popen(
            [*command, "--", *flags],
            cwd=ROOT,
            env=job_servers.java_environment() | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        peaks = {
            name: stack.enter_context(peak_of_group(pid)) for name, pid in ({"the job": process.pid} | others).items()
        }
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("["):
                done.append(time.monotonic())
        if process.wait():
            raise SystemExit("".join(said))
        seconds = time.monotonic() - start
    rate = 3600 * (len(done) - slots) / (done[-1] - done[slots - 1])
    memory = ", ".join(f"{name} {peak() / 2**20:.0f} MiB" for name, peak in peaks.items())
    shutil.rmtree(out)
    return f"{engine:8}{slots:6}{seconds:9.0f}{done[0] - start:9.0f}{rate:12.0f}   {memory}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=24)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 200), metavar="VOXELS")
    parser.add_argument("--slots", type=int, nargs="+", default=(1, 2, 4))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=tuple(ENGINES))
    parser.add_argument("--folder", type=Path, help="where the scans lie, or are made and stay; temporary by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="slots-") as folder:
        scratch = Path(folder)
        scans = given.folder or scratch / "scans"
        if not scans.exists():
            write_cases(scans, given.cases, tuple(given.shape))
        print(f"{given.cases} cases of {'×'.join(map(str, given.shape))} on {os.cpu_count()} cores", flush=True)
        print(f"{'engine':8}{'slots':>6}{'seconds':>9}{'first':>9}{'cases/hour':>12}   largest memory of", flush=True)
        for engine in given.engines:
            for slots in given.slots:
                print(measure(engine, slots, scans.resolve(), scratch), flush=True)


if __name__ == "__main__":
    main()
