"""`attent segment`: scans in, label maps on their own voxels out."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from cli import options
from cli.cohort_options import check_no_cohort_options
from cli.console import progress
from cli.remote import read_source, server_options


@click.command()
@click.option("--run", "run_folder", type=click.Path(), help="Trained run folder (attent train).")
@options.scans_or_list_to_files
@server_options
@click.option(
    "--cohort",
    metavar="CSV",
    type=click.Path(),
    help="List of scans (columns path, and case and series if wanted), with --model: a Beam job; what is done is skipped.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="With --cohort: remove what is in --out of the listed scans, or all of another model, and begin anew.",
)
@click.option("--verbose", is_flag=True, help="With --cohort: show Beam's own messages.")
@click.option("--dicom-seg", is_flag=True, help="Write a DICOM segmentation as well; the input must be DICOM.")
@click.option("--probabilities", is_flag=True, help="Write the probability of each class as well (4-D NIfTI).")
@click.option(
    "--entropy", is_flag=True, help="Write where to distrust the result as well: 0 sure, 1 undecided (NIfTI)."
)
@click.option("--preview", is_flag=True, help="Draw the organs' outlines on slices as well (PNG).")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED, metavar="[-- BEAM OPTIONS]")
@click.pass_context
def segment(
    context,
    run_folder,
    source,
    out,
    dicom_seg,
    probabilities,
    entropy,
    preview,
    model_metadata,
    cohort,
    overwrite,
    verbose,
    beam_options,
    **settings,
):
    """Segment scans; each label map has its scan's own grid.

    Scans must be of the run's target modality. Labels: 1 liver, 2 right kidney, 3 left kidney, 4 spleen. Other files lie beside
    the label map: labels_entropy.nii.gz beside labels.nii.gz. Not a medical device.

    With --server the slices go to a model that `attent export` wrote, and the scan's own voxels are labelled here, without
    TensorFlow; --model-metadata or --run says how scans are prepared.

    With --cohort each scan of a list is segmented by the exported model in the folder --model; what follows `--` goes to Apache
    Beam.

    Exit codes: 0 all scans done; 1 error, no label map written; 2 wrong usage; 3 some scans of the folder or list failed.

    \b
    Examples:
      attent segment --run runs/attent --input scan.nii.gz --out labels.nii.gz
      attent segment --run runs/attent --input dicom_folder --out labels.nii.gz --dicom-seg --preview
      attent segment --run runs/attent --input scans --out labels --entropy --report labels/report.json
      attent segment --server http://localhost:8501 --model-metadata models/attent/1 --input scan.nii.gz --out labels.nii.gz
      attent segment --cohort list.csv --model models/attent/1 --out results -- \\
          --direct_running_mode=multi_processing --direct_num_workers=4
    """
    if cohort is not None:
        from cli.cohort import segment_cohort

        segment_cohort(context, cohort, out, overwrite, verbose, beam_options)
        return
    check_no_cohort_options(context)
    from attent_tf.volumes.find_scans import find_scans
    from cli.outputs import answer_paths, beside, check_writes, refused_names
    from cli.scans import checked_report_name, each_scan

    found = find_scans(source)
    answers = answer_paths(found, source, out)
    wanted = {
        what: suffix
        for what, suffix, chosen in (
            ("entropy", None, entropy),
            ("probabilities", None, probabilities),
            ("seg", ".dcm", dicom_seg),
            ("preview", ".png", preview),
        )
        if chosen
    }
    outputs = {
        name: [answer, *(beside(answer, what, suffix) for what, suffix in wanted.items())]
        for name, answer in answers.items()
    }
    refused = refused_names(found, outputs)
    named = [path for name, paths in outputs.items() if name not in refused for path in paths]
    check_writes([*named, *checked_report_name(settings["report"])], [scan.path for scan in found.scans])
    run = read_source(run_folder, settings["server"], model_metadata)

    def source_series(path):
        from attent_tf.inference.dicom_seg import check_source_series

        return check_source_series(path, run.target, settings["series"]) if dicom_seg else None

    def work(scan, deployed):
        return _segment_one(run, scan, deployed, wanted, found.single)

    each_scan(run, found, answers, settings, work, source_series, refused)


def _segment_one(run, scan, deployed, wanted, single: bool) -> dict:
    """Segments a scan, writes and tells what was found; returns its part of the report."""
    from attent_tf.inference.scan_report import findings, scan_entry, volumes_ml
    from attent_tf.inference.volumes import Segmentation, segment_prepared
    from attent_tf.organs import NUM_CLASSES
    from cli.outputs import beside

    geometry, watch = scan.prepared.geometry, scan.watch
    outputs = {"labels": scan.answer} | {what: beside(scan.answer, what, suffix) for what, suffix in wanted.items()}
    with _room((*geometry.stored_shape, NUM_CLASSES), scan.answer.parent, "probabilities" in wanted) as room:
        answer = Segmentation.blank(scan.prepared, "entropy" in wanted, room)
        with progress("Segment", geometry.canonical_shape[0], "slices") as bar:
            segment_prepared(deployed.chain, scan.prepared, answer, bar.update, deployed.batch_size, watch)
        volumes = volumes_ml(answer.labels, geometry.voxel_ml)
        with watch.phase("writing"):
            _write(run, scan, answer, volumes, outputs)
    warnings = list(scan.warnings)
    if not any(volumes.values()):
        warnings.append(f"{scan.path}: no organ was found; look at the scan, its modality ({run.target}) and its field")
        click.echo(f"Warning: {warnings[-1]}", err=True)
    _tell(volumes, outputs, single)
    entry = scan_entry(scan.path, scan.digest, outputs, geometry, watch.seconds, warnings)
    return {"name": scan.name, **entry, **findings(answer, volumes)}


@contextlib.contextmanager
def _room(shape: tuple[int, ...], folder: Path, wanted: bool) -> Iterator:
    """Yields [i, j, k, classes] uint8 zeros on disk, which are gone after the block whatever happens; or None."""
    import numpy as np

    if not wanted:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(prefix=".aside-", dir=folder) as file:
        # A full disk must be told here: where mapped memory finds no room, the process is killed.
        os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)))
        yield np.memmap(file, np.uint8, "r+", shape=shape, order="F")


def _write(run, scan, answer, volumes, outputs) -> None:
    from attent_tf.files import write_bytes
    from attent_tf.volumes import write_fractions, write_labels

    geometry, placement = scan.prepared.geometry, scan.prepared.placement
    if "probabilities" in outputs:
        write_fractions(outputs["probabilities"], answer.probabilities, placement)
    if "entropy" in outputs:
        write_fractions(outputs["entropy"], answer.entropy, placement)
    title = f"{run.method.title}, {run.direction}"
    if "seg" in outputs:
        from attent_tf.inference.dicom_seg import write_dicom_seg

        device = f"{run.method.id}-{run.direction}-{run.records}"
        write_dicom_seg(outputs["seg"], answer.labels, scan.extra, device, f"Organs by {title}")
    if "preview" in outputs:
        from attent_tf.reporting.contact_sheet import draw_contact_sheet

        heading = f"{scan.name}: {title}"
        sheet = draw_contact_sheet(
            scan.prepared.images, answer.labels_on_grid, heading, geometry.record_spacing_mm, volumes
        )
        write_bytes(outputs["preview"], sheet)
    # Last, so that where there is a label map there is all that was asked for.
    write_labels(outputs["labels"], answer.labels, placement)


def _tell(volumes, outputs, single: bool) -> None:
    titles = {organ: organ.replace("_", " ") for organ in volumes}
    if single:
        for organ, volume in volumes.items():
            click.echo(f"{titles[organ]:13s}{volume:8.0f} mL")
    else:
        click.echo("  " + ", ".join(f"{titles[organ]} {volume:.0f} mL" for organ, volume in volumes.items()))
    for path in outputs.values():
        click.echo(f"{'' if single else '  '}Wrote {path}")
