"""The group `attent`: what it lists, how quickly it comes, and how it refuses."""

import errno
import re

import click
import pytest
from click.testing import CliRunner

import cli.main
from attent_tf import __version__
from attent_tf.errors import InputError
from cli.main import VERBS, main
from tests.support.loading import loaded_by_commands

HEAVY = {
    "tensorflow",
    "keras",
    "apache_beam",
    "numpy",
    "scipy",
    "matplotlib",
    "nibabel",
    "pydicom",
    "PIL",
    "jinja2",
    "google.protobuf",
}


def test_help_lists_all_verbs():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for verb in VERBS:
        assert re.search(rf"^  {verb}\s", result.output, re.M)


def test_help_imports_nothing_heavy_and_no_verb():
    (loaded,) = loaded_by_commands([["--help"]])
    assert "cli.main" in loaded
    assert not loaded & HEAVY
    assert not loaded & {f"cli.{verb}" for verb in VERBS}


def test_help_all_holds_the_help_of_every_verb():
    whole = CliRunner().invoke(main, ["--help-all"], prog_name="attent")
    assert whole.exit_code == 0
    for verb in VERBS:
        assert CliRunner().invoke(main, [verb, "--help"], prog_name="attent").output.strip() in whole.output


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(verb):
    result = CliRunner().invoke(main, [verb, "--help"], prog_name="attent")
    assert result.exit_code == 0, result.output or result.exception
    assert re.search(rf"Examples?:\s.*attent {verb}\b", result.output, re.S)


@pytest.mark.slow
def test_help_of_no_verb_loads_tensorflow():
    loaded = dict(zip(VERBS, loaded_by_commands([[verb, "--help"] for verb in VERBS]), strict=True))
    assert [verb for verb, names in loaded.items() if "tensorflow" in names] == []
    assert all(f"cli.{verb}" in set().union(*loaded.values()) for verb in VERBS)


def test_version():
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert __version__ in result.output


@pytest.mark.parametrize(
    ("typed", "meant"), [("evaluation", "evaluate"), ("segmented", "segment"), ("trains", "train")]
)
def test_unknown_verb_names_the_nearest(typed, meant):
    result = CliRunner().invoke(main, [typed])
    assert result.exit_code == 2
    assert f"No such verb: {typed}; did you mean `{meant}`?" in result.stderr


def test_unknown_verb_without_a_neighbour_lists_all():
    result = CliRunner().invoke(main, ["xyzzy"])
    assert result.exit_code == 2
    assert ", ".join(VERBS) in result.stderr


@pytest.fixture
def group_that_raises():
    """Gives a group like `attent` whose only verb raises an error."""

    def group(error):
        class OneVerb(cli.main.VerbGroup):
            def get_command(self, ctx, name):
                @click.command(name)
                def command():
                    raise error

                return command

        return OneVerb("attent")

    return group


def test_user_error_is_one_line_and_exit_code_1(group_that_raises):
    error = InputError("scan.nii.gz: expected a volume,\nfound a line break; remove it")
    result = CliRunner().invoke(group_that_raises(error), ["segment"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "Error: scan.nii.gz: expected a volume, found a line break; remove it\n"


def test_interrupt_exits_with_130(group_that_raises):
    result = CliRunner().invoke(group_that_raises(KeyboardInterrupt()), ["train"])
    assert result.exit_code == 130
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied", "run/run.json"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.ENAMETOOLONG, "File name too long", "run/" + 300 * "n"),
        OSError(errno.EIO, "Input/output error", "scan.nii.gz"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "scan\udcff.nii.gz"),
    ],
)
def test_refusal_of_the_file_system_is_one_line(group_that_raises, error):
    result = CliRunner().invoke(group_that_raises(error), ["train"])
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert error.strerror in result.stderr


def test_defect_keeps_its_traceback(group_that_raises):
    result = CliRunner().invoke(group_that_raises(OSError("a library's own")), ["train"])
    assert type(result.exception) is OSError
