"""Beam's options, as the user wrote them after `--`, and the runner that they name."""

import contextlib
import io
import os
import shutil
from collections.abc import Sequence

from attent_tf.errors import ConfigError

# Beam's DirectRunner first tries Prism, for which it downloads a program; FnApiRunner is what it falls back on, takes
# the same --direct_... options and needs no network.
_LOCAL_RUNNER = "FnApiRunner"
_LOCAL_NAMES = {"", "direct", "directrunner", "fnapi", "fnapirunner"}

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
            raise ConfigError(f"Beam options: expected --name=value; received {flag!r}")
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
