"""`attent package`: a trained model in one file."""

import click

from attent_tf.runtime import start_quietly


@click.command()
@click.option("--run", "run_folder", required=True, type=click.Path(), help="Trained run folder (attent train).")
@click.option(
    "--out", required=True, type=click.Path(), help="File to write, NAME.attent; an existing file is replaced."
)
@click.option(
    "--evaluation",
    type=click.Path(),
    help="Evaluation folder for the model card; without it, RUN/evaluation if that exists.",
)
def package(run_folder, out, evaluation):
    """Write a trained model as one file that others can use and train further.

    It holds the weights, the task, the configuration, how scans are prepared, how far the model was trained, mean scores,
    and checksums. It holds no scan, no case name and no path. Wherever a command takes --run, the file may stand in place
    of the folder; with `segmentation.weights=FILE`, training begins with its segmentor. Nothing in it is executed when it
    is read.

    \b
    Examples:
      attent package --run runs/attent --out abdomen.attent
      attent info abdomen.attent
      attent segment --model abdomen.attent --input scan.nii.gz --out labels.nii.gz
      attent train --records records --out tuned --direction mri2ct --method source_only --config demo \\
          --set segmentation.weights=abdomen.attent
    """
    from attent_tf.runs import load_run

    run = load_run(run_folder)
    start_quietly()
    from attent_tf.export.package import write_package

    written = write_package(run, out, evaluation)
    click.echo(f"Wrote {written.path}: {run.method.id}, {run.direction}")
    click.echo(f"SHA-256 {written.sha256}; tell it to the recipients by another way than the file")
