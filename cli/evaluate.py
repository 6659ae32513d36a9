"""`attent evaluate`: scores of a run on its test cases, and the report."""

import textwrap
from pathlib import Path

import click

from attent_tf.metrics.postprocessing import DEFAULT_POSTPROCESSING
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL, PROTOCOLS
from attent_tf.runtime import start_quietly
from cli.console import ConsoleObserver

_WIDTH = 100


@click.command()
@click.option("--run", "run_folder", required=True, type=click.Path(), help="Trained run folder (attent train).")
@click.option("--records", required=True, type=click.Path(), help="Records folder with the test cases.")
@click.option("--out", required=True, type=click.Path(), help="Folder to make; it must not exist yet.")
@click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default=DEFAULT_PROTOCOL,
    show_default=True,
    help="What is scored; it is printed in words with the scores.",
)
@click.option(
    "--mri",
    type=click.Path(),
    metavar="DIR",
    help="With native_3d, where the target is MRI: the data folder that the records were made from.",
)
@click.option("--ct", type=click.Path(), metavar="DIR", help="Likewise where the target is CT.")
@click.option(
    "--mri-dataset", metavar="NAME_OR_YAML", help="How --mri lies on disk.  [default: as when the records were made]"
)
@click.option("--ct-dataset", metavar="NAME_OR_YAML", help="How --ct lies on disk, likewise.")
@click.option(
    "--largest-component",
    is_flag=True,
    help="Keep of each predicted organ only its largest part before scoring; the scores say so.",
)
@click.option("--overwrite", is_flag=True, help="Replace an evaluation that is there.")
def evaluate(run_folder, records, out, protocol, largest_component, overwrite, **folders):
    """Score a run on its test cases and write the report.

    Writes metrics.json, cases.csv, the pictures of each case and report/index.html.

    \b
    Examples:
      attent evaluate --run runs/attent --records records --out runs/attent/evaluation
      attent evaluate --run runs/attent --records records --out per_slice --protocol released_2d
      attent evaluate --run runs/attent --records records --out native --protocol native_3d --ct MALBCV
    """
    from attent_tf.runs import load_run

    run = load_run(run_folder)
    scans = _scans(run, protocol, folders)
    start_quietly()
    from attent_tf.inference.evaluate import evaluate as evaluate_run
    from cli.scores import score_table

    postprocessing = "largest_component" if largest_component else DEFAULT_POSTPROCESSING
    evaluation = evaluate_run(run, records, out, ConsoleObserver(), protocol, overwrite, postprocessing, scans)
    for line in evaluation.header["warnings"]:
        click.echo(f"Warning: {line}", err=True)
    click.echo("\n".join(score_table([(run.method.title, evaluation)])))
    click.echo(textwrap.fill(f"Protocol {protocol}: {evaluation.header['protocol_text']}", _WIDTH))
    click.echo(f"Report: {Path(out) / 'report' / 'index.html'}")


def _scans(run, protocol, folders):
    """Returns where the target's scans lie, or None where the protocol has no use for them."""
    from attent_tf.inference.original_scans import OriginalScans

    folder, dataset = folders[run.target], folders[f"{run.target}_dataset"]
    if PROTOCOLS[protocol].grid == "scan":
        if folder is None:
            raise click.UsageError(f"--protocol {protocol} needs --{run.target}, the folder of the original scans.")
        return OriginalScans(folder, dataset)
    if any(folders.values()):
        raise click.UsageError("--mri, --ct and their data sets go with --protocol native_3d.")
    return None
