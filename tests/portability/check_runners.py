"""The same job on several runners, and the same bytes from each.

Run: make check-runners, or python -m tests.portability.check_runners
Makes a small phantom and preprocesses it on DirectRunner in one process, on DirectRunner with two worker processes, through
a job server over gRPC (PortableRunner, workers of environment LOOPBACK), and on FlinkRunner with its embedded cluster. The Flink
job server is fetched by its Maven coordinates; where Java, Maven or the jar cannot be had, that part is skipped with a line that
says so. The exit code is 1 if a folder differs or a runner fails.
"""

import contextlib
import hashlib
import importlib.metadata
import logging
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.support.jobs import abdomen_options

CACHE = Path(".cache") / "flink"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_FETCH_SECONDS, _JOB_SECONDS = 600, 600


class Skipped(Exception):  # noqa: N818 - says what it means
    """A runner cannot be had here; the text says why."""


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
    yield [
        "--runner=FlinkRunner",
        f"--flink_job_server_jar={job_server_jar()}",
        "--environment_type=LOOPBACK",
        "--parallelism=2",
    ]


def job_server_jar() -> Path:
    """Returns the job server of the installed Beam for the newest Flink that it supports.

    Raises:
      Skipped: Java, Maven or the jar cannot be had.
    """
    from apache_beam.options.pipeline_options import FlinkRunnerOptions

    version = importlib.metadata.version("apache-beam")
    artifact = f"beam-runners-flink-{FlinkRunnerOptions.PUBLISHED_FLINK_VERSIONS[-1]}-job-server"
    jar = CACHE.resolve() / f"{artifact}-{version}.jar"
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise Skipped(f"{program} is not installed")
    if not jar.exists():
        coordinates = f"org.apache.beam:{artifact}:{version}"
        print(f"fetching {coordinates} with Maven", flush=True)
        command = ["mvn", "-B", "-q", f"{_PLUGIN}:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={jar.parent}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Skipped(f"Maven did not bring {coordinates} within {_FETCH_SECONDS} s") from error
        if done.returncode or not jar.exists():
            raise Skipped(f"Maven cannot resolve {coordinates}")
    return jar


@contextlib.contextmanager
def direct_flags(*flags: str) -> Iterator[list[str]]:
    yield list(flags)


RUNNERS = {
    "DirectRunner, one process": direct_flags,
    "DirectRunner, two processes": lambda: direct_flags(
        "--direct_running_mode=multi_processing", "--direct_num_workers=2"
    ),
    "PortableRunner, job server over gRPC": portable_flags,
    "FlinkRunner, embedded cluster": flink_flags,
}


def contents(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main() -> int:
    logging.disable(logging.ERROR)
    from attent_tf.phantom import write_phantom

    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "phantom"
        write_phantom(data, subjects=2, seed=0)
        reference, failed = None, []
        for number, (name, make_flags) in enumerate(RUNNERS.items()):
            out = Path(scratch) / f"records-{number}"
            start = time.monotonic()
            try:
                with make_flags() as flags:
                    _run(data, out, flags)
            except Skipped as reason:
                print(f"skipped: {name}: {reason}", flush=True)
                continue
            except Exception as error:
                # To the standard output: the other one is full of the runners' own messages, and make drops it.
                print(f"FAILED: {name}: {error}", flush=True)
                traceback.print_exc(file=sys.stdout)
                failed.append(name)
                continue
            found = contents(out)
            reference = reference or found
            same = found == reference
            if not same:
                failed.append(name)
            verdict = "the same bytes" if same else "DIFFERENT BYTES"
            print(f"{name}: {len(found)} files, {verdict}, {time.monotonic() - start:.1f} s", flush=True)
    return bool(failed)


def _run(data: Path, out: Path, flags: list[str]) -> None:
    import beam_preprocess

    options = abdomen_options(
        out=str(out), mri=str(data / "chaos"), ct=str(data / "malbcv"), split="none", preview=True
    )
    beam_preprocess.run(options, flags)


if __name__ == "__main__":
    sys.exit(main())
