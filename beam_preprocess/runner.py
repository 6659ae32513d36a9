"""Beam's options, as the user wrote them after `--`, the runner that they name, and a job on it."""

import concurrent.futures
import contextlib
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attent_tf.errors import MACHINE_FAULTS, ConfigError, InputError
from attent_tf.shared_folders import SharedFolder
from beam_preprocess import notes
from beam_preprocess.counters import read_counters

# Beam's DirectRunner first tries Prism, for which it downloads a program; FnApiRunner is what it falls back on, takes
# the same --direct_... options and needs no network.
_LOCAL_RUNNER = "FnApiRunner"
_LOCAL_NAMES = {"", "direct", "directrunner", "fnapi", "fnapirunner"}

_TRACEBACK = "Traceback (most recent call last):"

# Runners that start a program in Java on this machine, and the option that says where that program lies.
_JAR_OPTIONS = {"FlinkRunner": "flink_job_server_jar", "SparkRunner": "spark_job_server_jar"}
_CLUSTER_OPTIONS = {"FlinkRunner": "flink_submit_uber_jar", "SparkRunner": "spark_submit_uber_jar"}


def new_pipeline(flags: Sequence[str]):
    """Returns an empty Beam `Pipeline` for flags such as `--direct_num_workers=2`.

    Args:
      flags: arguments as on a command line. Without `--runner`, or with DirectRunner, the job runs on this machine.

    Raises:
      ConfigError: a flag is malformed, the runner does not exist or lacks its Java or its jar, or a flag is unknown and the
        job runs on this machine (the job servers of other runners have options that this process cannot know).
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

    flags = list(flags)
    follows_name = False
    for flag in flags:
        if not flag.startswith("--") and not follows_name:
            raise ConfigError(f"Beam options: expected --name=value, found {flag!r}")
        follows_name = flag.startswith("--") and "=" not in flag
    complaint = io.StringIO()
    try:
        # argparse writes its usage, some hundred lines, and exits.
        with contextlib.redirect_stderr(complaint):
            options = PipelineOptions(flags)
            known = options.get_all_options()
            unknown = sorted(options.get_all_options(retain_unknown_options=True).keys() - known.keys())
    except SystemExit as error:
        reason = complaint.getvalue().strip().splitlines()[-1].rpartition("error: ")[2]
        raise ConfigError(f"Beam options: {reason}; see Beam's documentation of pipeline options") from error
    standard = options.view_as(StandardOptions)
    if (standard.runner or "").lower() in _LOCAL_NAMES:
        if unknown:
            raise ConfigError(
                f"Beam options: --{unknown[0]} is not an option of Beam; see its documentation or remove it"
            )
        standard.runner = _LOCAL_RUNNER
    try:
        pipeline = beam.Pipeline(options=options)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigError(f"--runner={standard.runner}: Beam has no such runner here ({error})") from error
    _check_job_server(type(pipeline.runner).__name__, options)
    return pipeline


def is_local(pipeline) -> bool:
    """Whether a pipeline runs on this machine, in processes that are this program's own."""
    return type(pipeline.runner).__name__ == _LOCAL_RUNNER


def run_noted(
    pipeline, work: SharedFolder, tell: dict[str, Callable[[Any], None]], build: Callable[[Any], Any]
) -> dict[str, int]:
    """Runs a pipeline to its end.

    Args:
      pipeline: from `new_pipeline`.
      work: where its workers leave notes.
      tell: see `notes.watched`.
      build: adds the transforms to the pipeline.

    Returns:
      What its workers counted.

    Raises:
      AttentError: what a worker noted before it stopped, or that its machine has no room.
      ConfigError: the runner could not run the job.
    """
    with _built_as_by_a_program():
        build(pipeline)
    refused, running = threading.Event(), concurrent.futures.Future()

    def end(refusal: notes.Refusal) -> None:
        # A cluster that restarts jobs would meet the same damaged scan again and again.
        if refusal["final"] and not is_local(pipeline):
            refused.set()
            if (result := running.result()) is not None:
                result.cancel()

    try:
        with notes.watched(work, tell | {notes.REFUSAL: end}):
            try:
                # Waits whatever --no_wait_until_finish says, because the job's results are made use of after it.
                running.set_result(pipeline.run())
            finally:
                if not running.done():
                    running.set_result(None)
            result = running.result()
            result.wait_until_finish()
            if refused.is_set():
                raise RuntimeError("cancelled")
            return read_counters(result)
    except Exception as error:
        refusal = notes.first_refusal(work)
        if refusal is not None:
            # The runner's own account of it is text around text; the user needs the line alone.
            raise refusal from None
        fault = next((code for code in MACHINE_FAULTS if f"[Errno {code}]" in str(error)), None)
        if fault is not None:
            # On a full disk there is no room for a note either.
            raise InputError(
                "a worker", "to write what it made", os.strerror(fault).lower(), "correct it and run again"
            ) from error
        if is_local(pipeline):
            raise
        raise ConfigError(
            f"--runner={type(pipeline.runner).__name__}: the job could not be run there ({reason_of(error)}); check its options "
            "and job server, and see Beam's own messages with --verbose"
        ) from error


@contextlib.contextmanager
def _built_as_by_a_program() -> Iterator[None]:
    """Lets steps have the same names in a notebook as elsewhere.

    There Beam puts the number of the cell before them, by modules that want pandas, which nothing here needs.
    """
    from apache_beam import pipeline as beam_pipeline

    rename = beam_pipeline.alter_label_if_ipython
    beam_pipeline.alter_label_if_ipython = lambda transform, pvalueish: None
    try:
        yield
    finally:
        beam_pipeline.alter_label_if_ipython = rename


def reason_of(error: Exception) -> str:
    """Returns the line of a runner's error that says what happened.

    Where a worker's traceback is in it, that is the traceback's last line. Otherwise it is the first one.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    begins = [place for place, line in enumerate(lines) if _TRACEBACK in line]
    if not begins:
        return lines[0]
    # Frames are indented, and so are the lines of Java that may follow.
    last = next((line for line in lines[begins[-1] + 1 :] if line.strip() and not line[0].isspace()), None)
    return f"a worker met {last.strip()}" if last else "a worker met an error that did not reach the main program"


def _check_job_server(runner: str, options) -> None:
    """Tells what a runner lacks that starts its job server here, before any scan is looked at."""
    from apache_beam.options.pipeline_options import JobServerOptions, PortableOptions

    if runner not in _JAR_OPTIONS or options.view_as(PortableOptions).job_endpoint:
        return
    known = options.get_all_options()
    if known[_CLUSTER_OPTIONS[runner]]:
        return
    java = options.view_as(JobServerOptions).job_server_java_launcher
    if shutil.which(java) is None:
        raise ConfigError(
            f"--runner={runner}: expected Java to start its job server with, found no {java}; install Java, or name a job "
            "server that runs already with --job_endpoint"
        )
    jar = known[_JAR_OPTIONS[runner]]
    if jar and "://" not in jar and not os.path.isfile(jar):
        raise ConfigError(
            f"--runner={runner}: expected a jar as --{_JAR_OPTIONS[runner]}, found no file {jar}; check the path"
        )
