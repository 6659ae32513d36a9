"""`attent translate`: target scans in source style."""

import click

from attent_tf.methods import METHODS
from cli import options
from cli.console import progress

*_FIRST, _LAST = (method.id for method in METHODS.values() if method.translates)
_TRANSLATING = f"{', '.join(_FIRST)} or {_LAST}"


@click.command()
@click.option("--run", "run_folder", required=True, type=click.Path(), help=f"Trained run of {_TRANSLATING}.")
@options.scans_to_files
def translate(run_folder, source, out, **settings):
    """Show target scans in source style.

    Scans must be of the run's target modality. The result has the scan's own grid: HU within the CT window where the
    source is CT, 0 to 1000 where it is MR, which has no unit. It is a picture for machines, not for diagnosis.

    Exit codes: 0 all scans done; 1 error, nothing written; 2 wrong usage; 3 some scans of the folder failed.

    \b
    Examples:
      attent translate --run runs/attent --input scan.nii.gz --out as_mri.nii.gz
      attent translate --run runs/attent --input dicom_folder --out as_mri.nii.gz
      attent translate --run runs/attent --input scans --out as_mri
    """
    from attent_tf.errors import RunError
    from attent_tf.runs import load_run
    from attent_tf.volumes.find_scans import find_scans
    from cli.outputs import answer_paths, check_writes, refused_names
    from cli.scans import checked_report_name, each_scan

    found = find_scans(source)
    answers = answer_paths(found, source, out)
    refused = refused_names(found, {name: [answer] for name, answer in answers.items()})
    named = [answer for name, answer in answers.items() if name not in refused]
    check_writes([*named, *checked_report_name(settings["report"])], [scan.path for scan in found.scans])
    run = load_run(run_folder)
    if not run.method.translates:
        raise RunError(
            f"{run.folder}: the method {run.method.id} has no translator; translate needs a run of {_TRANSLATING}"
        )

    def work(scan, deployed):
        return _translate_one(run, scan, deployed)

    each_scan(run, found, answers, settings, work, refused=refused)


def _translate_one(run, scan, deployed) -> dict:
    """Translates a scan and writes it; returns its part of the report."""
    import numpy as np

    from attent_tf.inference.scan_report import scan_entry
    from attent_tf.inference.volumes import translate_prepared
    from attent_tf.volumes import write_scan

    prepared, watch = scan.prepared, scan.watch
    with progress("Translate", prepared.geometry.canonical_shape[0], "slices") as bar:
        image = translate_prepared(
            deployed.chain, prepared, run.prepare_options, run.source, bar.update, deployed.batch_size, watch
        )
    with watch.phase("writing"):
        write_scan(scan.answer, image, prepared.placement, np.float32)
    click.echo(f"Wrote {scan.answer}")
    outputs = {"translation": scan.answer}
    entry = scan_entry(scan.path, scan.digest, outputs, prepared.geometry, watch.seconds, scan.warnings)
    return {"name": scan.name, **entry}
