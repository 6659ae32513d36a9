"""`attent preprocess`: folders of scans in, a records folder out."""

import dataclasses
import json

import click

from attent_tf.choices import GEOMETRIES, ON_ERROR, SLICE_RULES, SPLIT_RULES
from attent_tf.counting import counted

from . import console
from . import options as shared
from .options import ForDomain


@click.command()
@click.option(
    "--task",
    "task_name",
    default="abdomen",
    show_default=True,
    metavar="NAME_OR_YAML",
    help="Structures and domains: abdomen, cardiac, shapes, or a task of your own.",
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    type=ForDomain("DIR"),
    help="Cases of a domain of the task: a folder in a known layout, or a YAML description that names its root. "
    "Give it once for each domain.",
)
@click.option(
    "--domain-dataset",
    "domain_datasets",
    multiple=True,
    type=ForDomain("NAME_OR_YAML"),
    help="How the folder of a domain lies on disk: chaos, chaos-t1-in, chaos-t1-out, malbcv, nifti, dicom, amos-ct, amos-mri, "
    "crossmoda-t1, crossmoda-t2, mmwhs-ct, mmwhs-mri, sifa-ct, sifa-mri, totalsegmentator-ct, "
    "totalsegmentator-mri, nnunet or nnunet-test (with :1 at the end, channel 1 of several), or a "
    "description of your own.  [default: recognised]",
)
@click.option("--mri", type=click.Path(), metavar="DIR", help="Short for --domain mri=DIR.")
@click.option("--ct", type=click.Path(), metavar="DIR", help="Short for --domain ct=DIR.")
@click.option("--mri-dataset", metavar="NAME_OR_YAML", help="Short for --domain-dataset mri=…")
@click.option("--ct-dataset", metavar="NAME_OR_YAML", help="Short for --domain-dataset ct=…")
@click.option("--out", type=click.Path(), metavar="RECORDS", help="Folder to make; it must be absent or empty.")
@click.option("--overwrite", is_flag=True, help="Replace the records in --out once the new ones are complete.")
@click.option("--check", is_flag=True, help="Look for everything that is wrong with the data, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="With --check: print the problems as JSON.")
@click.option(
    "--on-error",
    type=click.Choice(ON_ERROR),
    default="fail",
    show_default=True,
    help="A case that cannot be used: stop, or set it aside in rejected.jsonl and go on.",
)
@click.option(
    "--split",
    type=click.Choice(SPLIT_RULES),
    default="sifa",
    show_default=True,
    help="sifa: the published test cases of CHAOS and MALBCV, and the test volumes of SIFA's own data. ratio: 4:1 by patient, "
    "drawn from --seed. file: your own, from --split-file. none: every case both trains and tests.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="What --split ratio draws from.")
@click.option(
    "--split-file", type=click.Path(), metavar="YAML", help="File with lists `test` and `train` of cases or patients."
)
@click.option(
    "--slices",
    type=click.Choice(SLICE_RULES),
    default="body",
    show_default=True,
    help="Which slices of training cases to keep. body: without the ends that show only air. organs: the paper's "
    "rule, slices with a labelled structure (this uses labels, also those of the target domain). Test cases "
    "keep all slices.",
)
@click.option(
    "--geometry",
    type=click.Choice(GEOMETRIES),
    default="physical",
    show_default=True,
    help="physical: 256×256 pixels of --pixel-mm, centred on the body. resize: the whole slice, as in the paper.",
)
@click.option("--pixel-mm", type=float, default=1.6, show_default=True, help="Pixel size of --geometry physical.")
@click.option("--slice-mm", type=float, help="Resample to slices at this distance.  [default: the scan's slices]")
@click.option(
    "--neighbours",
    type=int,
    default=0,
    show_default=True,
    help="Slices on each side that a record holds as further channels (2.5-D).",
)
@click.option(
    "--intensity",
    "intensities",
    multiple=True,
    type=ForDomain("RULE"),
    help="What −1 and +1 stand for in scans of a domain: window:LOW:HIGH, percentile:LOW:HIGH[:PART[:PART]] or "
    "zscore:TIMES[:PART], where PART is volume or body; @training at the end takes the statistics of the training cases.  "
    "[default: the data set's, or else the task's]",
)
@click.option("--mri-intensity", metavar="RULE", help="Short for --intensity mri=RULE.")
@click.option("--ct-intensity", metavar="RULE", help="Short for --intensity ct=RULE.")
@shared.orientation_policy
@click.option("--shards", type=int, help="Number of TFRecord files.  [default: one per case, at most 8]")
@click.option("--preview", is_flag=True, help="Draw a contact sheet of each case, in preview/index.html.")
@click.option("--verbose", is_flag=True, help="Show Beam's own messages.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED, metavar="[-- BEAM OPTIONS]")
def preprocess(check, as_json, verbose, beam_options, **settings):
    """Turn folders of scans into sliced TFRecords.

    One domain is enough for supervised training or for inference; adaptation needs two, and one records folder may hold
    more. What follows `--` goes to Apache Beam.

    \b
    Examples:
      attent preprocess --mri CHAOS --ct MALBCV --check
      attent preprocess --mri CHAOS --ct MALBCV --out records --preview
      attent preprocess --mri CHAOS --ct MALBCV --out records --split ratio --seed 1
      attent preprocess --mri CHAOS --mri-dataset chaos-t1-in --ct amos.yaml --out records --split ratio
      attent preprocess --ct my_scans --out records --split none --on-error skip
      attent preprocess --task heart.yaml --domain t1=T1 --domain t2=T2 --out records --split ratio
      attent preprocess --mri CHAOS --ct MALBCV --out records -- \\
          --direct_running_mode=multi_processing --direct_num_workers=4
    """
    if as_json and not check:
        raise click.UsageError("--json goes with --check.")
    if check:
        _check(_words(settings | {"out": settings["out"] or ""}), as_json)
        return
    if not settings["out"]:
        raise click.UsageError("Missing option '--out', the folder to make.")
    from beam_preprocess.api import preprocess as run_job

    from .records import summary

    words = _words(settings)
    console.heading("Preprocess")
    manifest = run_job(**words, verbose=verbose, beam_options=beam_options)
    for line in summary(manifest):
        console.say(line)
    if manifest.rejected:
        count = len(manifest.rejected)
        console.say(f"{counted(count, 'case')} set aside; the reasons are in {words['out']}/rejected.jsonl")
    if words["preview"]:
        console.say(f"Contact sheets: {words['out']}/preview/index.html")
    console.say(f"Records are in {words['out']}")


def _words(settings):
    """Returns the command's settings as the function takes them: what is said of a domain in mappings."""
    from attent_tf.tasks import load_task

    task = load_task(settings.pop("task_name"))
    by_domain = {
        word: shared.by_domain(
            task, settings.pop(many), option, {name: settings.pop(f"{name}{ending}") for name in ("mri", "ct")}
        )
        for word, many, option, ending in (
            ("domain", "domains", "--domain", ""),
            ("domain_dataset", "domain_datasets", "--domain-dataset", "_dataset"),
            ("intensity", "intensities", "--intensity", "_intensity"),
        )
    }
    return settings | by_domain | {"task": task}


def _check(words, as_json):
    """Prints all problems of the data; exit code 1 where there are any."""
    from attent_tf.datasets.check import problems_json, problems_table
    from beam_preprocess.api import job_options
    from beam_preprocess.survey import check

    found = check(job_options(**words), (lambda _: None) if as_json else console.say)
    if as_json:
        warnings = [dataclasses.asdict(warning) for warning in found.warnings]
        content = {"cases": found.cases, "problems": problems_json(found.problems), "warnings": warnings}
        click.echo(json.dumps(content, indent=2))
    else:
        for line in problems_table(found.problems):
            console.say(line)
        for warning in found.warnings:
            console.say(f"Warning: {warning.message}")
    if found.problems:
        affected = len({problem.case for problem in found.problems if problem.case})
        raise click.ClickException(
            f"{counted(len(found.problems), 'problem')} in {affected} of {counted(found.cases, 'case')}; nothing was written"
        )
    if not as_json:
        count = len(found.warnings)
        told = f", {counted(count, 'warning')} to look at" if count else ""
        console.say(f"{counted(found.cases, 'case')}, no problem found{told}")
