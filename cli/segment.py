"""`attent segment`: a scan in, a label map on its own voxels out."""

import click

from attent_tf.runtime import start_quietly
from cli import options
from cli.console import progress


@click.command()
@click.option("--run", "run_folder", required=True, type=click.Path(), help="Trained run folder (attent train).")
@options.scan_to_file
def segment(run_folder, scan, out, orientation_policy):
    """Segment a scan; the label map has the scan's own grid.

    The scan must be of the run's target modality. Labels: 1 liver, 2 right kidney, 3 left kidney, 4 spleen. Not a medical
    device.

    \b
    Examples:
      attent segment --run runs/attent --input scan.nii.gz --out labels.nii.gz
      attent segment --run runs/attent --input dicom_folder --out labels.nii.gz
    """
    import numpy as np

    from attent_tf.organs import CLASS_NAMES
    from attent_tf.runs import load_run
    from attent_tf.volumes import read_scan, write_labels
    from cli.outputs import check_nifti_name

    check_nifti_name(out)
    run = load_run(run_folder)
    volume = read_scan(scan, run.target, orientation_policy=orientation_policy)
    start_quietly()
    from attent_tf.inference.chain import load_chain
    from attent_tf.inference.volumes import preparation, segment_volume

    with progress("Segment", volume.slice_count, "slices") as bar:
        labels = segment_volume(load_chain(run), volume, preparation(run), bar.update)
    write_labels(out, labels, volume.affine)
    voxel_ml = float(np.prod(volume.spacing_mm)) / 1000.0
    for index, name in enumerate(CLASS_NAMES[1:], start=1):
        click.echo(f"{name.replace('_', ' '):13s}{voxel_ml * np.count_nonzero(labels == index):8.0f} mL")
    click.echo(f"Wrote {out}")
