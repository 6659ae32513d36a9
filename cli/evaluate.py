"""`attent evaluate`: scores of a run on its test cases, and the report."""

from pathlib import Path

import click

from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, PROTOCOLS
from attent_tf.runtime import start_quietly
from cli.console import ConsoleObserver


@click.command()
@click.option("--run", "run_folder", required=True, type=click.Path(), help="Trained run folder (attent train).")
@click.option("--records", required=True, type=click.Path(), help="Records folder with the test cases.")
@click.option("--out", required=True, type=click.Path(), help="Folder to make; it must not exist yet.")
@click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default=DEFAULT_PROTOCOL,
    show_default=True,
    help="What is scored; the report says it in words.",
)
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
def evaluate(run_folder, records, out, protocol, overwrite):
    """Score a run on its test cases and write the report.

    Writes metrics.json, cases.csv, the pictures of each case and report/index.html.

    \b
    Examples:
      attent evaluate --run runs/attent --records records --out runs/attent/evaluation
      attent evaluate --run runs/attent --records records --out per_slice --protocol released_2d
    """
    from attent_tf.runs import load_run

    run = load_run(run_folder)
    start_quietly()
    from attent_tf.inference.evaluate import evaluate as evaluate_run
    from cli.scores import score_table

    evaluation = evaluate_run(run, records, out, ConsoleObserver(), protocol, overwrite)
    for line in evaluation.header["warnings"]:
        click.echo(f"Warning: {line}", err=True)
    click.echo("\n".join(score_table([(run.method.title, evaluation)])))
    click.echo(f"Report: {Path(out) / 'report' / 'index.html'}")
