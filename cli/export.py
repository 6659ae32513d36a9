"""`attent export`: the deployed chain as a SavedModel."""

import click

from attent_tf.runtime import start_quietly


@click.command()
@click.option("--run", "run_folder", required=True, type=click.Path(), help="Trained run folder (attent train).")
@click.option("--out", required=True, type=click.Path(), help="Folder to make; it must not exist yet.")
def export(run_folder, out):
    """Write the deployed chain as a SavedModel.

    The signature `serving_default` takes `image` [batch, 256, 256, 1] float32 in [-1, 1], prepared like the training
    records, and gives `probabilities` and `labels`; `translate` and `entropy` show what lies between.

    \b
    Examples:
      attent export --run runs/attent --out models/attent/1
    """
    from attent_tf.runs import load_run

    run = load_run(run_folder)
    start_quietly()
    from attent_tf.export.saved_model import export_chain

    export_chain(run, out)
    click.echo(f"Wrote {out}: {run.method.id}, {run.direction}")
