"""Which options of `attent segment` go with --cohort, and which go without it."""

import click
from click.core import ParameterSource

# Beside --cohort itself and those that mean the same in both.
_ONLY_WITH = ("overwrite", "verbose", "beam_options")
_ONLY_WITH_SERVER = ("server_ca", "client_certificate", "client_key", "token_file")
_WITH = (*_ONLY_WITH, "cohort", "model", "out", "batch_size", "orientation_policy", "postprocess")


def check_cohort_options(context: click.Context) -> None:
    """Refuses options that do not go with --cohort, and a lack of --model."""
    odd = [name for parameter, name in _given(context) if parameter not in _WITH]
    if odd:
        raise click.UsageError(f"{odd[0]} cannot be used with --cohort; give --cohort with --model and --out.")
    if not context.params["model"]:
        advice = "see attent package and attent export"
        raise click.UsageError(
            f"Missing option '--model', a package or the version folder of an exported model; {advice}."
        )


def check_no_cohort_options(context: click.Context) -> None:
    """Refuses options that go with --cohort only, a run beside a package, and a lack of --input."""
    odd = [name for parameter, name in _given(context) if parameter in _ONLY_WITH]
    if odd:
        raise click.UsageError(f"{odd[0]} goes with --cohort.")
    if not context.params["server"]:
        if context.params["model"] and context.params["run_folder"]:
            raise click.UsageError("Give one of --run and --model; without --server, --model is a package.")
        odd = [name for parameter, name in _given(context) if parameter in _ONLY_WITH_SERVER]
        if odd:
            raise click.UsageError(f"{odd[0]} goes with --server.")
    if not context.params["source"]:
        raise click.UsageError("Missing option '--input', the scan or the folder of scans; or give --cohort.")


def _given(context: click.Context) -> list[tuple[str, str]]:
    """Returns the parameters that were given, each with what the user calls it."""
    found = []
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if source == ParameterSource.COMMANDLINE and context.params[parameter.name]:
            is_argument = isinstance(parameter, click.Argument)
            called = context.params[parameter.name][0] if is_argument else parameter.opts[0]
            found.append((parameter.name, called))
    return found
