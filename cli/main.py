"""The group `attent`. Verbs are found by name, so that `attent --help` imports none of them."""

import difflib
import errno
import importlib
import sys

import click

from attent_tf import __version__
from attent_tf.errors import AttentError, printable

# verb -> one line for the list of verbs; the verb `x` is the command `x` in the module `x` beside this one.
VERBS = {
    "demo": "Run the whole method on an embedded data set, end to end.",
    "phantom": "Write a synthetic data set in the layouts of CHAOS and MALBCV.",
    "preprocess": "Turn folders of scans into sliced TFRecords.",
    "verify": "Check a records folder against its manifest, to the last byte.",
    "info": "Print what a records folder, a run, a package or an exported model holds.",
    "train": "Train a method on a records folder, or resume a run.",
    "translate": "Show a target scan in source style.",
    "segment": "Segment a scan; the label map has the scan's own grid.",
    "check": "Say how good a run is, without labels of its target.",
    "evaluate": "Score a run on its test cases, or label files of any tool, and write the report.",
    "compare": "Compare runs over the same cases: tables, tests, a plot.",
    "report": "Make a report of evaluations, or print their tables for a paper.",
    "benchmark": "Train and score all methods over seeds, in the form of the paper's tables.",
    "convert": "Write a data set that nnU-Net can train on.",
    "package": "Write a trained model as one file that others use and train further.",
    "export": "Write the deployed chain as a SavedModel.",
    "doctor": "Say what this machine has, and what is missing.",
}

# What a shell reports for a program that Ctrl-C ended.
_EXIT_INTERRUPTED = 130

# What the system says of a place that cannot be written to; of others, that what is there cannot be used.
_NO_PLACE = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT),
    *(errno.EFBIG, errno.ENAMETOOLONG),
)


class VerbGroup(click.Group):
    """A group whose commands are imported when they are asked for, and whose user errors are one line."""

    def list_commands(self, ctx):
        return list(VERBS)

    def get_command(self, ctx, name):
        if name not in VERBS:
            return None
        return getattr(importlib.import_module(f"{__package__}.{name}"), name)

    def resolve_command(self, ctx, args):
        name = args[0]
        # What starts with a dash is an option out of place, which Click explains better.
        if name not in VERBS and not name.startswith("-"):
            raise click.UsageError(_unknown_verb(name), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx):
        # A file's name may hold what the terminal cannot show, and must not end a command half-way.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except AttentError as error:
            raise click.ClickException(" ".join(str(error).splitlines())) from error
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            ctx.exit(_EXIT_INTERRUPTED)
        except OSError as error:
            # Without a number it comes from a library and not from the system: a defect, which keeps its traceback. Whoever
            # reads the output may go away.
            if error.errno in (None, errno.EPIPE):
                raise
            place = error.filename if error.filename is not None else "file system"
            advice = "give a place that can be written to and has room"
            if error.errno not in _NO_PLACE:
                advice = "check the path, and whether its disk and this machine are sound"
            raise click.ClickException(printable(f"{place}: {error.strerror}; {advice}")) from error


def _unknown_verb(name: str) -> str:
    near = difflib.get_close_matches(name, VERBS, n=1)
    advice = f"did you mean `{near[0]}`?" if near else f"expected one of {', '.join(VERBS)}"
    return f"No such verb: {name}; {advice}"


def _help_all(context, parameter, wanted):
    # It imports every verb, which nothing else should have to wait for.
    if wanted:
        from .help_all import show_help_all

        show_help_all(context)


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="attent")
@click.option(
    "--help-all",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_help_all,
    help="Show the help of all verbs.",
)
def main():
    """Segment organs in scans of one modality with labels of another (AttENT).

    \b
    The usual order:
      attent preprocess --mri CHAOS --ct MALBCV --out records
      attent train --records records --out run --direction mri2ct --method attent --config recommended
      attent evaluate --run run --records records --out evaluation
      attent segment --run run --input scan.nii.gz --out labels.nii.gz

    Start with `attent demo --out demo`.
    """


if __name__ == "__main__":
    main(prog_name="attent")
