"""`attent convert`: what a run makes of its scans, as a data set for another tool."""

import click

from attent_tf.progress import ConsoleObserver
from attent_tf.runtime import start_quietly
from attent_tf.signs import AMBER, GREEN

from . import options as shared
from .options import ForDomain


@click.command()
@click.option(
    "--run", "run_folder", required=True, type=click.Path(), help="Trained run folder (attent train), or a package."
)
@click.option(
    "--records", required=True, type=click.Path(), help="Records folder that says which cases are training cases."
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    required=True,
    type=ForDomain("DIR"),
    help="The scans that the records of a domain were made from, as for attent preprocess: the run's source, to have them in "
    "target style with their labels; its target, to have them with labels by the run; or both, each once.",
)
@click.option(
    "--domain-dataset",
    "domain_datasets",
    multiple=True,
    type=ForDomain("NAME_OR_YAML"),
    help="How the folder of a domain lies on disk.  [default: as when the records were made]",
)
@click.option(
    "--to", "layout", type=click.Choice(["nnunet"]), default="nnunet", show_default=True, help="Layout of the data set."
)
@click.option(
    "--accept",
    type=click.Choice([GREEN, AMBER]),
    default=AMBER,
    show_default=True,
    help="The worst sign of attent check with which a target scan becomes a training case.",
)
@shared.postprocess
@click.option("--out", required=True, type=click.Path(), help="Folder to make, such as nnUNet_raw/Dataset501_NAME.")
def convert(run_folder, records, domains, domain_datasets, layout, accept, postprocess, out):
    """Write a data set that nnU-Net can train on.

    It holds labelled training scans of the source, in target style and with their own labels, and training scans of the
    target with the run's label maps. Each of the latter must pass the signs of attent check, measured on that scan alone;
    scans that do not pass are left out and named. Test scans of the target go to imagesTs. All scans keep the grid of
    their files. No label of the target is used.

    origins.json, beside dataset.json, says where each case comes from.

    \b
    Examples:
      attent convert --run runs/attent --records records --domain mri=CHAOS --domain ct=MALBCV \\
          --to nnunet --out nnUNet_raw/Dataset501_Abdomen
      attent convert --run runs/attent --records records --domain mri=CHAOS --out nnUNet_raw/Dataset502_Translated
      attent convert --run runs/attent --records records --domain ct=MALBCV --accept green --out nnUNet_raw/Dataset503_Labelled
    """
    del layout
    from attent_tf.inference.original_scans import OriginalScans
    from attent_tf.runs import load_run

    run = load_run(run_folder)
    folders = shared.by_domain(run.task, domains, "--domain")
    datasets = shared.by_domain(run.task, domain_datasets, "--domain-dataset")
    for name in datasets.keys() - folders.keys():
        raise click.UsageError(f"--domain-dataset {name}: there is no --domain {name}.")
    scans = {name: OriginalScans(folder, datasets.get(name)) for name, folder in folders.items()}
    start_quietly()
    from attent_tf.inference.nnunet import write_nnunet

    done = run.postprocessing.asked(postprocess)
    written = write_nnunet(run, records, scans, out, ConsoleObserver("slices"), accept, done)
    for kind, cases in written.cases.items():
        if cases:
            click.echo(f"{kind.capitalize()} ({len(cases)}): {', '.join(cases)}")
    for left_out in written.left_out:
        click.echo(f"Left out: {left_out.case}: {left_out.reason}")
    click.echo(f"Wrote {written.folder}")
