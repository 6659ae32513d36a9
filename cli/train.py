"""`attent train`: a method on a records folder."""

import click

from attent_tf.api.training import train as run_training
from attent_tf.choices import PRECISIONS, STRATEGIES
from attent_tf.methods import METHODS
from attent_tf.progress import QuietObserver

_STAGES = dict.fromkeys(stage.id for method in METHODS.values() for stage in method.stages)


@click.command()
@click.option("--records", required=True, type=click.Path(), help="Records folder (attent preprocess).")
@click.option("--out", required=True, type=click.Path(), help="Run folder; one that holds a checkpoint is resumed.")
@click.option(
    "--direction",
    required=True,
    metavar="SOURCE2TARGET",
    help="From the labelled source to the unlabelled target, domains of the records: mri2ct, ct2mri, …",
)
@click.option("--method", default="attent", show_default=True, metavar="ID", help=f"One of {', '.join(METHODS)}.")
@click.option(
    "--config", "config_name", default="recommended", show_default=True, metavar="NAME_OR_FILE", help="Configuration."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one key; may be repeated.")
@click.option(
    "--stage",
    metavar="ID",
    default="all",
    show_default=True,
    help=f"All stages of the method, or one: {', '.join(_STAGES)}.",
)
@click.option(
    "--strategy",
    type=click.Choice(STRATEGIES),
    default="auto",
    show_default=True,
    help="Devices. auto, mirrored: every GPU, or the CPU. one: the first GPU, or the CPU. multi_worker: those of all machines "
    "that TF_CONFIG names.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="Number type that networks compute in, in place of the configuration's.",
)
@click.option("--jit", is_flag=True, help="Compile gradients with XLA; for GPUs only, since it makes CPUs slower.")
@click.option("--quiet", is_flag=True, help="Show no progress, only warnings and the result.")
@click.option(
    "--deterministic",
    is_flag=True,
    help="Every run on the same machine gives the same bits, resumed or not; slower on a GPU.",
)
@click.option(
    "--translation-from",
    type=click.Path(),
    metavar="RUN",
    help="Take over the finished translation stage of a run with the same records, settings and seed, of either direction.",
)
@click.option("--fresh", is_flag=True, help="Refuse to go on with a run that has a checkpoint.")
def train(
    records,
    out,
    direction,
    method,
    config_name,
    overrides,
    stage,
    strategy,
    precision,
    jit,
    quiet,
    deterministic,
    translation_from,
    fresh,
):
    """Train a method on a records folder, or resume a run.

    A run that was stopped, killed, or ended by SIGTERM (which saves first) goes on when the command is given again.

    \b
    Examples:
      attent train --records records --out runs/attent --direction mri2ct --method attent --config recommended
      attent train --records records --out runs/lower --direction mri2ct --method source_only --config demo
      attent train --records records --out runs/try --direction ct2mri --config demo --set translation.steps=200
    """
    run = run_training(
        records,
        out,
        direction,
        method,
        config_name,
        overrides,
        stage,
        strategy,
        precision,
        jit,
        deterministic,
        translation_from,
        fresh,
        progress=QuietObserver() if quiet else None,
    )
    click.echo(f"Trained {run.method.id} ({run.direction}): {run.folder}")
    click.echo(f"Next: attent evaluate --run {run.folder} --records {records} --out {run.folder / 'evaluation'}")
