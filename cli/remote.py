"""Options of commands that can send slices to a model server instead of running the networks here."""

import os

import click

from attent_tf.api.chains import DEFAULT_MODEL
from attent_tf.deployment.model import TrainedModel
from attent_tf.errors import ConfigError, InputError


def server_options(command):
    """Adds `server`, `model`, `model_version`, `model_metadata` and what a server is shown to a command."""
    for option in (
        click.option(
            "--token-file",
            type=click.Path(),
            help="File with the token that a server or proxy asks for (header Authorization: Bearer), over https "
            "or grpcs. The variable ATTENT_SERVER_TOKEN can hold the token instead.",
        ),
        click.option(
            "--client-key", type=click.Path(), help="Private key (PEM) of --client-certificate, if not in its file."
        ),
        click.option(
            "--client-certificate",
            type=click.Path(),
            help="The client's certificate (PEM), for servers that ask for one.",
        ),
        click.option(
            "--server-ca",
            type=click.Path(),
            help="Certificates (PEM) to check the server against, in place of the system's.",
        ),
        click.option(
            "--model-metadata",
            type=click.Path(),
            help="metadata.json of the exported model, or its folder; says how scans are prepared, in place of --run.",
        ),
        click.option(
            "--model-version", type=click.IntRange(min=1), help="Version on the server; without it, the newest."
        ),
        click.option(
            "--model",
            help="Package (attent package), in place of --run. With --server, the name of the model there [default: "
            f"{DEFAULT_MODEL}]; with --cohort, a package, or a version folder such as models/attent/1.",
        ),
        click.option(
            "--server",
            metavar="URL",
            help="TensorFlow Serving with the exported model: http://HOST:8501, or grpc://HOST:8500. Slices are sent "
            "unencrypted unless the address is https or grpcs.",
        ),
    ):
        command = option(command)
    return command


def read_source(
    run_folder: str | None, server: str | None, model_metadata: str | None, model: str | None = None
) -> TrainedModel:
    """Returns what says how scans are prepared, and of which domain they are.

    Args:
      run_folder: `--run`, or None.
      server: `--server`, or None.
      model_metadata: `--model-metadata`, or None.
      model: `--model`, or None; without a server, a package.

    Returns:
      A run, or the contract of an exported model.

    Raises:
      AttentError: the options do not go together, or the folder or file is not what it should be.
    """
    if server is not None and "@" in server.partition("://")[2].partition("/")[0]:
        raise ConfigError(
            "--server: expected an address without user and password, which others can see there; give --token-file a file "
            "with “Basic BASE64”"
        )
    if model_metadata is not None and server is None:
        raise ConfigError("--model-metadata: expected --server URL beside it; give it, or --run alone")
    package = model if server is None else None
    run_folder = run_folder or package
    if (run_folder is None) == (model_metadata is None):
        wanted = "--run RUN, --model FILE, or --server URL with --model-metadata FILE"
        raise ConfigError(f"expected {wanted}, found {'both' if run_folder else 'neither'}; give one of them")
    if model_metadata is not None:
        from attent_tf.deployment import read_contract

        return read_contract(model_metadata)
    from attent_tf.runs import load_run

    if package is not None and os.path.isdir(package):
        raise InputError(f"--model {package}", "a package (attent package)", "a folder", "give a run folder as --run")
    return load_run(run_folder)
