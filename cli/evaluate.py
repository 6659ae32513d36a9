"""`attent evaluate`: scores of a run on its test cases, or of label files from any tool, and the report."""

import textwrap
from pathlib import Path

import click

from attent_tf.api.scoring import evaluate as run_evaluation
from attent_tf.api.scoring import problem_of_evaluate
from attent_tf.methods import get_method
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, PROTOCOLS
from attent_tf.scoring import EXIT_INCOMPLETE
from attent_tf.tasks import DEFAULT_TASK, SHIPPED_TASKS

from . import options as shared
from .label_files import tell_label_files
from .tables import LINE


@click.command()
@click.option("--run", "run_folder", type=click.Path(), help="Trained run folder (attent train), or a package.")
@click.option("--records", type=click.Path(), help="With --run: records folder with the test cases.")
@click.option("--predictions", type=click.Path(), metavar="DIR", help="NIfTI label maps of any tool, instead of --run.")
@click.option("--references", type=click.Path(), metavar="DIR", help="With --predictions: label maps to score against.")
@click.option(
    "--labels",
    type=click.Path(),
    metavar="YAML",
    help="How label files are named and what their numbers mean.  [default: the same names on both sides, the structures of "
    "the task in its order from 1]",
)
@click.option(
    "--task",
    metavar="NAME_OR_YAML",
    help=f"With --predictions: the task whose structures they show: {', '.join(SHIPPED_TASKS)} or a file.  "
    f"[default: {DEFAULT_TASK}]",
)
@click.option("--images", type=click.Path(), metavar="DIR", help="With --predictions: the scans, for the report.")
@click.option("--name", default="", help="With --predictions: name of the method.  [default: of the folder]")
@click.option("--out", required=True, type=click.Path(), help="Folder to make; it must not exist yet.")
@click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default=DEFAULT_PROTOCOL,
    show_default=True,
    help="What is scored; the scores are printed with a description of it.",
)
@click.option(
    "--scans",
    type=click.Path(),
    metavar="DIR",
    help="With native_3d: the data folder that the target's records were made from.",
)
@click.option(
    "--dataset", metavar="NAME_OR_YAML", help="How --scans lies on disk.  [default: as when the records were made]"
)
@shared.postprocess
@click.option("--overwrite", is_flag=True, help="Replace an existing evaluation.")
@shared.calibration
@shared.orientation_policy
@click.pass_context
def evaluate(ctx, run_folder, records, out, protocol, postprocess, overwrite, **others):
    """Score a run on its test cases, or label files of any tool, and write the report.

    Writes metrics.json, cases.csv, the pictures of each case and report/index.html.

    A prediction that is missing, lies on other voxels or cannot be read counts as an empty one; a case with such a
    reference is not scored. All such cases are listed. Exit code: 0 everything was scored, 3 something is listed, 1 nothing
    was scored.

    \b
    Examples:
      attent evaluate --run runs/attent --records records --out runs/attent/evaluation
      attent evaluate --run runs/attent --records records --out per_slice --protocol released_2d
      attent evaluate --run runs/attent --records records --out native --protocol native_3d --scans MALBCV
      attent evaluate --predictions nnunet --references labelsTs --labels map.yaml --out scores
      attent evaluate --predictions nnunet --references labelsTs --task cardiac --out scores
    """
    others |= {"run": run_folder, "records": records}
    if problem := problem_of_evaluate(others, protocol):
        raise click.UsageError(problem)
    evaluation = run_evaluation(**others, out=out, protocol=protocol, postprocess=postprocess, overwrite=overwrite)
    if others["predictions"]:
        tell_label_files(evaluation, out, others["images"])
        ctx.exit(EXIT_INCOMPLETE if evaluation.failures else 0)
    from .scores import score_table, spread_table, with_and_without

    method = get_method(evaluation.header["method"])
    for line in evaluation.header["warnings"]:
        click.echo(f"Warning: {line}", err=True)
    click.echo("\n".join(score_table(with_and_without(method.title, evaluation))))
    click.echo("\n".join(["", *spread_table(evaluation, "dice", "Dice %")]))
    click.echo(textwrap.fill(f"Protocol {protocol}: {evaluation.header['protocol_text']}", LINE))
    click.echo(f"Report: {Path(out) / 'report' / 'index.html'}")
