"""Options that several commands share."""

import re
from collections.abc import Iterable, Mapping

import click

from attent_tf.choices import ORIENTATION_POLICIES
from attent_tf.errors import ConfigError
from attent_tf.tasks import Task

orientation_policy = click.option(
    "--orientation-policy",
    type=click.Choice(ORIENTATION_POLICIES),
    default="strict",
    show_default=True,
    help="NIfTI files whose sform and qform codes are both 0, or whose sform and qform mirror each other: refuse "
    "them, or trust the affine in the file, the sform before the qform.",
)

calibration = click.option(
    "--calibration",
    type=click.Path(),
    metavar="JSON",
    help="File from benchmarks/calibrate_signs.py, used to estimate Dice from the signs.  [default: no estimate]",
)


postprocess = click.option(
    "--postprocess/--no-postprocess",
    default=None,
    help="Keep the largest part of each structure and fill its holes, or leave label maps as the networks made them.  [default: "
    "as the run or the exported model says; no for label files]",
)


class ForDomain(click.ParamType):
    """`DOMAIN=VALUE`, as a pair of texts."""

    def __init__(self, value_name: str):
        self.name = f"DOMAIN={value_name}"

    def get_metavar(self, param, ctx=None):
        return self.name

    def convert(self, value, param, ctx):
        if isinstance(value, tuple):
            return value
        domain, separator, rest = value.partition("=")
        if not (domain and separator and rest):
            return self.fail(f"expected {self.name}, found {value!r}", param, ctx)
        return domain, rest


def by_domain(
    task: Task, given: Iterable[tuple[str, str]], option: str, short: Mapping[str, str | None] | None = None
) -> dict[str, str]:
    """Returns what an option of `ForDomain` and its short forms say, by the names of the task's domains in their order.

    Args:
      task: whose domains may be named.
      given: the option's values.
      option: its name, for messages.
      short: values of its short forms by the names of their domains; None for those that are not given.

    Raises:
      ConfigError: the task has no such domain, or one is named twice.
    """
    found = {}
    for name, value in (*given, *((name, value) for name, value in (short or {}).items() if value is not None)):
        task.domain(name)
        if name in found:
            raise ConfigError(f"{option} {name}: expected once, found {found[name]!r} and {value!r}")
        found[name] = value
    return {name: found[name] for name in task.domain_names if name in found}


class BatchSize(click.ParamType):
    """`auto` (None) or a whole number above 0."""

    name = "auto|N"

    def convert(self, value, param, ctx):
        if value is None or isinstance(value, int):
            return value
        if value == "auto":
            return None
        if value.isdecimal() and int(value) > 0:
            return int(value)
        return self.fail(f"expected auto or a whole number above 0, found {value!r}", param, ctx)


class DeviceName(click.ParamType):
    """`auto`, `cpu`, `gpu` or `gpu:N`."""

    name = "auto|cpu|gpu|gpu:N"

    def convert(self, value, param, ctx):
        if re.fullmatch(r"auto|cpu|gpu(:\d+)?", value):
            return value
        return self.fail(f"expected auto, cpu, gpu, or gpu:N with a number from 0, found {value!r}", param, ctx)


workers_option = click.option(
    "--workers",
    type=BatchSize(),
    default="auto",
    show_default=True,
    help="Runs in parallel: 1 trains them one after the other with all cores; with more, each run is a process of "
    "one thread. auto: one per core for images up to 128 pixels without a GPU, else 1.",
)


def scans_to_files(command):
    """The options of a command that reads scans and writes NIfTI files."""
    return _scans_to_files(command, required=True)


def scans_or_list_to_files(command):
    """The same for a command that may be given a list of scans in the place of `--input`."""
    return _scans_to_files(command, required=False)


def _scans_to_files(command, required: bool):
    for option in (
        orientation_policy,
        click.option(
            "--series",
            metavar="UID",
            help="SeriesInstanceUID, or number, of the series to take if a DICOM folder holds several.",
        ),
        click.option(
            "--report",
            type=click.Path(),
            metavar="JSON",
            help="Write what was done: versions, device, times, and what was found in each scan.",
        ),
        click.option(
            "--batch-size",
            type=BatchSize(),
            default="auto",
            show_default=True,
            help="Slices per batch. auto: from the GPU's free memory, or the number of cores. The result does not depend on it.",
        ),
        click.option(
            "--device",
            type=DeviceName(),
            default="auto",
            show_default=True,
            help="Where the networks run. auto: the first GPU, or else the CPU. gpu:N: the GPU with that number, from 0.",
        ),
        click.option(
            "--out",
            required=True,
            type=click.Path(),
            help="NIfTI file to write (.nii or .nii.gz); for a folder or a list of scans, the folder for their files.",
        ),
        click.option(
            "--input",
            "source",
            required=required,
            type=click.Path(),
            help="NIfTI file, folder with the DICOM slices of a series, or folder of such scans.",
        ),
    ):
        command = option(command)
    return command
