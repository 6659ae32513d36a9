"""`attent report`: the report again from evaluation folders, and the tables for a text."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--evaluation",
    "evaluations",
    multiple=True,
    required=True,
    metavar="DIR",
    help="Evaluation folder; may be repeated.",
)
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="DIR",
    help="The run that was evaluated, once for each evaluation and in the same order; without it, the folder that "
    "holds the evaluation, if that is a run.",
)
@click.option("--out", type=click.Path(), help="HTML file to write; summary.md and scores.csv are written beside it.")
@click.option("--title", default="AttENT report", show_default=True, help="Heading of the report.")
@click.option("--latex", is_flag=True, help="Print the scores as rows of a LaTeX table.")
@click.option("--markdown", is_flag=True, help="Print the scores as Markdown.")
def report(evaluations, runs, out, title, latex, markdown):
    """Make a report of one or several evaluations, or print their tables.

    The report is one HTML file that needs no network: scores beside the paper's, box plots, a viewer of all slices, failures,
    learning curves, protocol and configuration. The tables, and nothing else, go to standard output.

    \b
    Examples:
      attent report --evaluation runs/attent/evaluation --out report/index.html
      attent report --evaluation runs/source_only/evaluation --evaluation runs/attent/evaluation --out both/index.html
      attent report --evaluation runs/attent/evaluation --latex > rows.tex
    """
    from attent_tf.reporting.papers import as_latex, as_markdown
    from attent_tf.reporting.report import read_sections, write_report
    from attent_tf.reporting.sources import EvaluationForReport

    if runs and len(runs) != len(evaluations):
        raise click.UsageError(f"--run: expected one for each --evaluation ({len(evaluations)}), found {len(runs)}")
    if not (out or latex or markdown):
        raise click.UsageError("nothing to do; give --out, --latex or --markdown")
    if out and Path(out).is_dir():
        raise click.UsageError(f"--out {out}: expected an HTML file to write, found a folder; give {out}/index.html")
    folders = runs or [_run_around(folder) for folder in evaluations]
    places = [
        EvaluationForReport(Path(folder), run and Path(run)) for folder, run in zip(evaluations, folders, strict=True)
    ]
    if out:
        write_report(out, places, title)
    if latex or markdown:
        sections = read_sections(places, "report")
        for wanted, text in ((markdown, lambda: as_markdown(sections, title)), (latex, lambda: as_latex(sections))):
            if wanted:
                click.echo(text(), nl=False)
    if out:
        click.echo(f"Report: {out}", err=latex or markdown)


def _run_around(evaluation):
    """The folder of the run that an evaluation lies in, where `attent evaluate` was told to put it there."""
    parent = Path(evaluation).resolve().parent
    return parent if (parent / "run.json").is_file() else None
