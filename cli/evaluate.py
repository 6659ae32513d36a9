"""`attent evaluate`: scores of a run on its test cases, or of label files from any tool, and the report."""

from pathlib import Path

import click

from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, PROTOCOLS
from attent_tf.runtime import start_quietly
from cli import options as shared
from cli.console import ConsoleObserver


@click.command()
@click.option("--run", "run_folder", type=click.Path(), help="Trained run folder (attent train).")
@click.option("--records", type=click.Path(), help="With --run: records folder with the test cases.")
@click.option("--predictions", type=click.Path(), metavar="DIR", help="NIfTI label maps of any tool, instead of --run.")
@click.option("--references", type=click.Path(), metavar="DIR", help="With --predictions: label maps to score against.")
@click.option(
    "--labels",
    type=click.Path(),
    metavar="YAML",
    help="How label files are called and what their numbers mean.  [default: the same names on both sides, "
    "1 liver, 2 right kidney, 3 left kidney, 4 spleen]",
)
@click.option("--images", type=click.Path(), metavar="DIR", help="With --predictions: the scans, for a report.")
@click.option("--name", default="", help="With --predictions: name of the method.  [default: of the folder]")
@click.option("--out", required=True, type=click.Path(), help="Folder to make; it must not exist yet.")
@click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default=DEFAULT_PROTOCOL,
    show_default=True,
    help="What is scored; the report says it in words.",
)
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
@shared.orientation_policy
@click.pass_context
def evaluate(ctx, run_folder, records, out, protocol, overwrite, **label_files):
    """Score a run on its test cases, or label files of any tool, and write the report.

    Writes metrics.json, cases.csv, label maps and pictures of each case and report/index.html (for label files with --images).

    A prediction that is missing, on other voxels or cannot be read counts as an empty one; a case whose reference is so is not
    scored. All of them are listed. Exit code: 0 everything was scored, 3 something is listed, 1 nothing was scored.

    \b
    Examples:
      attent evaluate --run runs/attent --records records --out runs/attent/evaluation
      attent evaluate --run runs/attent --records records --out per_slice --protocol released_2d
      attent evaluate --predictions nnunet --references labelsTs --labels map.yaml --out scores
    """
    if label_files["predictions"] or label_files["references"]:
        _check_options(label_files, ("predictions", "references"), run=run_folder, records=records)
        from cli.label_files import evaluate_label_files

        ctx.exit(evaluate_label_files(out, protocol, overwrite, **label_files))
    given = {name: label_files[name] for name in ("labels", "images", "name")}
    given["orientation-policy"] = label_files["orientation_policy"] != "strict"
    _check_options({"run": run_folder, "records": records}, ("run", "records"), **given)
    from attent_tf.runs import load_run

    run = load_run(run_folder)
    start_quietly()
    from attent_tf.inference.evaluate import evaluate as evaluate_run
    from cli.scores import score_table, spread_table

    evaluation = evaluate_run(run, records, out, ConsoleObserver(), protocol, overwrite)
    for line in evaluation.header["warnings"]:
        click.echo(f"Warning: {line}", err=True)
    click.echo(
        "\n".join([*score_table([(run.method.title, evaluation)]), "", *spread_table(evaluation, "dice", "Dice %")])
    )
    click.echo(f"Report: {Path(out) / 'report' / 'index.html'}")


def _check_options(given, needed, **others):
    """Refuses half of a pair of options, and options of the other pair."""
    for name in needed:
        if not given[name]:
            raise click.UsageError(
                f"Missing option '--{name}'; give --run and --records, or --predictions and --references."
            )
    for name, value in others.items():
        if value:
            raise click.UsageError(f"--{name} does not go with --{needed[0]}.")
