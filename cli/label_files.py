"""The part of `attent evaluate` that scores label files of any tool."""

import textwrap
from pathlib import Path

import click

from cli.console import ConsoleObserver
from cli.tables import LINE


def evaluate_label_files(
    out, protocol, overwrite, postprocess, orientation_policy, predictions, references, task, labels, images, name
) -> int:
    """Scores two folders, prints the tables and all that is listed beside them, and returns the exit code."""
    from attent_tf.postprocessing import NO_POSTPROCESSING
    from attent_tf.scoring import EXIT_INCOMPLETE, load_label_map, score_folders
    from attent_tf.tasks import DEFAULT_TASK, load_task
    from cli.scores import failure_lines, score_table, spread_table, state_lines, with_and_without

    label_map = load_label_map(labels, load_task(task or DEFAULT_TASK))
    evaluation = score_folders(
        predictions,
        references,
        out,
        ConsoleObserver(),
        label_map,
        name,
        protocol,
        images,
        overwrite,
        orientation_policy,
        NO_POSTPROCESSING.asked(postprocess),
    )
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
    for text in (f"Protocol {protocol}. {header['protocol_text']}", *texts):
        click.echo(textwrap.fill(text, LINE))
    click.echo(f"Scores: {Path(out) / 'metrics.json'}, {Path(out) / 'cases.csv'}")
    click.echo(f"Report: {Path(out) / 'report' / 'index.html'}" + ("" if images else ", without scans; see --images"))
    return EXIT_INCOMPLETE if evaluation.failures else 0
