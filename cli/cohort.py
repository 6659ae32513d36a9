"""`attent segment --cohort`: a list of scans through an exported model, on any Beam runner."""

import contextlib
import os

import click

from attent_tf.counting import counted
from attent_tf.errors import InputError

from . import console
from .cohort_options import check_cohort_options


def segment_cohort(
    context: click.Context, cohort: str, out: str, overwrite: bool, verbose: bool, beam_options: tuple[str, ...]
) -> None:
    """Runs the job, tells what became of it, and ends the command with its exit code.

    Args:
      context: of `attent segment`.
      cohort: the list.
      out: folder for the results.
      overwrite: whether results that are there are removed first.
      verbose: whether Beam's messages are shown.
      beam_options: what followed `--`.
    """
    check_cohort_options(context)
    from attent_tf.cohort import read_cohort
    from attent_tf.cohort.results import FAILED_FILE, MANIFEST_FILE, TABLE_FILE
    from attent_tf.volumes.nifti_header import is_nifti_name
    from beam_preprocess.cohort import CohortOptions, run_cohort
    from beam_preprocess.quiet import beam_kept_quiet
    from beam_preprocess.runner import new_pipeline

    from .scans import EXIT_SOME_FAILED

    params = context.params
    options = CohortOptions(
        model=params["model"],
        out=out,
        batch_size=params["batch_size"],
        orientation_policy=params["orientation_policy"],
        postprocess=params["postprocess"],
        overwrite=overwrite,
    )
    if is_nifti_name(out):
        raise InputError("--out", "a folder, because --cohort lists scans", out, "choose another name")
    with contextlib.nullcontext() if verbose else beam_kept_quiet():
        # The list may lie where only the flags tell how to get there.
        new_pipeline(beam_options)
        scans = read_cohort(cohort)
        outcome = run_cohort(scans, options, beam_options, console.say)
    count = counted(len(scans), "scan")
    have = "has" if len(scans) == 1 else "have"
    console.say(f"{outcome.done} of {count} {have} a result, {outcome.skipped} of them had one before")
    console.say(f"Wrote {os.path.join(out, MANIFEST_FILE)} and {os.path.join(out, TABLE_FILE)}")
    if outcome.failed:
        reasons = os.path.join(out, FAILED_FILE)
        click.echo(f"Error: {len(outcome.failed)} of {count} failed; the reasons are in {reasons}", err=True)
        context.exit(EXIT_SOME_FAILED if outcome.done else 1)
