"""Beam's options, as the user wrote them after `--`."""

import contextlib
import io
from collections.abc import Sequence

from attent_tf.errors import ConfigError

# Beam's DirectRunner first tries Prism, for which it downloads a program; FnApiRunner is what it falls back on, takes
# the same --direct_... options and needs no network.
_LOCAL_RUNNER = "FnApiRunner"
_LOCAL_NAMES = {"", "direct", "directrunner", "fnapi", "fnapirunner"}


def new_pipeline(flags: Sequence[str]):
    """Returns an empty Beam `Pipeline` for flags such as `--direct_num_workers=2`.

    Args:
      flags: arguments as on a command line. Without `--runner`, or with DirectRunner, the job runs on this machine.

    Raises:
      ConfigError: a flag is malformed, the runner does not exist, or a flag is unknown and the job runs on this
        machine (the job servers of other runners have options that this process cannot know).
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
        return beam.Pipeline(options=options)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigError(f"--runner={standard.runner}: Beam has no such runner here ({error})") from error


def is_local(pipeline) -> bool:
    """Whether a pipeline runs on this machine, in processes that are this program's own."""
    return type(pipeline.runner).__name__ == _LOCAL_RUNNER
