"""What `attent evaluate` prints of label files of any tool."""

import textwrap
from pathlib import Path

import click

from attent_tf.evaluation.folder import Evaluation

from .tables import LINE


def tell_label_files(evaluation: Evaluation, out: str, images: str | None) -> None:
    """Prints the tables of an evaluation of label files, and all that is listed beside them.

    Args:
      evaluation: what came of it.
      out: its folder, as the user calls it.
      images: the folder of the scans, if there is one.
    """
    from .scores import failure_lines, score_table, spread_table, state_lines, with_and_without

    header = evaluation.header
    for line in header["warnings"]:
        click.echo(f"Warning: {line}", err=True)
    click.echo("\n".join(score_table(with_and_without(header["method"], evaluation))))
    for metric, title in (("dice", "Dice %"), ("assd_mm", "ASSD mm")):
        click.echo("\n" + "\n".join(spread_table(evaluation, metric, title)))
    for title, lines in (
        ("Structures that are not in both maps", state_lines(evaluation)),
        ("Could not be scored as they stand", failure_lines(evaluation)),
    ):
        if lines:
            click.echo("\n" + "\n".join([f"{title} ({len(lines)}):", *lines]))
    click.echo()
    texts = (header[key] for key in ("grid_text", "failures_text", "statistics_text"))
    for text in (f"Protocol {header['protocol']}. {header['protocol_text']}", *texts):
        click.echo(textwrap.fill(text, LINE))
    click.echo(f"Scores: {Path(out) / 'metrics.json'}, {Path(out) / 'cases.csv'}")
    click.echo(f"Report: {Path(out) / 'report' / 'index.html'}" + ("" if images else ", without scans; see --images"))
