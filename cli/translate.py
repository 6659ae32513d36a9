"""`attent translate`: a target scan in source style."""

import click

from attent_tf.runtime import start_quietly
from cli import options
from cli.console import progress


@click.command()
@click.option("--run", "run_folder", required=True, type=click.Path(), help="Trained run of cyclegan, pixel or attent.")
@options.scan_to_file
def translate(run_folder, scan, out, orientation_policy):
    """Show a target scan in source style.

    The scan must be of the run's target modality. The result has the scan's own grid: HU within the CT window where the
    source is CT, 0 to 1000 where it is MR, which has no unit. It is a picture for machines, not for diagnosis.

    \b
    Examples:
      attent translate --run runs/attent --input scan.nii.gz --out as_mri.nii.gz
      attent translate --run runs/attent --input dicom_folder --out as_mri.nii.gz
    """
    import numpy as np

    from attent_tf.runs import load_run
    from attent_tf.volumes import read_scan, write_scan
    from cli.outputs import check_nifti_name

    check_nifti_name(out)
    run = load_run(run_folder)
    volume = read_scan(scan, run.target, orientation_policy=orientation_policy)
    start_quietly()
    from attent_tf.inference.chain import load_chain
    from attent_tf.inference.volumes import preparation, translate_volume

    with progress("Translate", volume.slice_count, "slices") as bar:
        image = translate_volume(load_chain(run), volume, preparation(run), run.source, bar.update)
    write_scan(out, image, volume.affine, np.float32)
    click.echo(f"Wrote {out}")
