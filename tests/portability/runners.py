"""The runners that jobs are compared on: each gives a job's flags for as long as it stands."""

import contextlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.portability import job_servers, spark_cluster
from tests.portability.job_servers import Skipped
from tests.support.digests import file_digests

Flags = Callable[[], contextlib.AbstractContextManager[list[str]]]


@contextlib.contextmanager
def portable_flags() -> Iterator[list[str]]:
    """Starts Beam's own job server and yields the flags of a job for it."""
    from apache_beam.runners.portability.local_job_service import LocalJobServicer

    with tempfile.TemporaryDirectory() as staging:
        server = LocalJobServicer(staging)
        port = server.start_grpc_server(0)
        try:
            yield ["--runner=PortableRunner", f"--job_endpoint=localhost:{port}", "--environment_type=LOOPBACK"]
        finally:
            server.stop()


@contextlib.contextmanager
def flink_flags() -> Iterator[list[str]]:
    """Fetches the job server and yields the flags of a job on an embedded Flink."""
    with _java():
        jar = job_servers.job_server_jar(job_servers.FLINK)
        yield [
            "--runner=FlinkRunner",
            f"--flink_job_server_jar={jar}",
            "--environment_type=LOOPBACK",
            "--parallelism=2",
        ]


@contextlib.contextmanager
def spark_flags(master: str = "local[2]") -> Iterator[list[str]]:
    """Fetches the job server and yields the flags of a job on an embedded Spark, or on that of a master."""
    with _java():
        jar = job_servers.job_server_jar(job_servers.SPARK)
        yield [
            "--runner=SparkRunner",
            f"--spark_job_server_jar={jar}",
            f"--spark_master_url={master}",
            "--environment_type=LOOPBACK",
        ]


@contextlib.contextmanager
def spark_cluster_flags() -> Iterator[list[str]]:
    """Starts a master and a worker of Spark on this machine and yields the flags of a job there."""
    with (
        spark_cluster.started(job_servers.job_server_jar(job_servers.SPARK)) as master,
        spark_flags(master) as flags,
    ):
        yield flags


@contextlib.contextmanager
def prism_flags(program: str) -> Iterator[list[str]]:
    """Yields the flags of a job on Prism, Beam's runner in Go.

    Args:
      program: made by `go install github.com/apache/beam/sdks/v2/go/cmd/prism@v2.77.0`.
    """
    yield ["--runner=PrismRunner", f"--prism_location={Path(program).resolve()}", "--environment_type=LOOPBACK"]


@contextlib.contextmanager
def direct_flags(*flags: str) -> Iterator[list[str]]:
    """Yields flags of Beam's own runner."""
    yield list(flags)


RUNNERS: dict[str, Flags] = {
    "DirectRunner, one process": direct_flags,
    "DirectRunner, two processes": lambda: direct_flags(
        "--direct_running_mode=multi_processing", "--direct_num_workers=2"
    ),
    "PortableRunner, job server over gRPC": portable_flags,
    "FlinkRunner, embedded": flink_flags,
    "SparkRunner, embedded": spark_flags,
}


def compare(
    scratch: Path,
    work: Callable[[Path, list[str]], None],
    runners: dict[str, Flags],
    told: Callable[[str], bool] = lambda _: True,
) -> bool:
    """Runs a job on each runner and prints what came; returns whether all that can be had gave the first one's bytes.

    Args:
      scratch: folder for the results.
      work: runs the job into a folder, with flags.
      runners: by name.
      told: whether a file, by its path in the folder, is the same from job to job.
    """
    reference, right = None, True
    for number, (name, make_flags) in enumerate(runners.items()):
        out, start = scratch / f"out-{number}", time.monotonic()
        try:
            with make_flags() as flags:
                work(out, flags)
        except Skipped as reason:
            print(f"skipped: {name}: {reason}", flush=True)
            continue
        except Exception as error:
            # To the standard output: the other one is full of the runners' own messages, and make drops it.
            print(f"FAILED: {name}: {error}", flush=True)
            traceback.print_exc(file=sys.stdout)
            right = False
            continue
        found = {file: digest for file, digest in file_digests(out).items() if told(file)}
        reference = reference or found
        same = found == reference
        right &= same
        verdict = "the same bytes" if same else "DIFFERENT BYTES"
        print(f"{name}: {len(found)} files, {verdict}, {time.monotonic() - start:.1f} s", flush=True)
    return right


@contextlib.contextmanager
def _java() -> Iterator[None]:
    """Keeps the job server that Beam starts within the memory of a small machine."""
    before = os.environ.copy()
    os.environ.update(job_servers.java_environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
