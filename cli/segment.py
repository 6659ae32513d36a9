"""`attent segment`: scans in, label maps on their own voxels out."""

import functools
from pathlib import Path

import click

from attent_tf.progress import ConsoleObserver

from . import options
from .cohort_options import check_no_cohort_options
from .remote import read_source, server_options


@click.command()
@click.option("--run", "run_folder", type=click.Path(), help="Trained run folder (attent train), or a package.")
@options.scans_or_list_to_files
@server_options
@click.option(
    "--cohort",
    metavar="CSV",
    type=click.Path(),
    help="List of scans (column path, optionally case and series), used with --model: segments them in a Beam job "
    "and skips those that are done.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="With --cohort: remove the results of the listed scans from --out, or all results of another model, and start again.",
)
@click.option("--verbose", is_flag=True, help="With --cohort: show Beam's own messages.")
@click.option("--dicom-seg", is_flag=True, help="Also write a DICOM segmentation; the input must be DICOM.")
@click.option("--probabilities", is_flag=True, help="Also write the probability of each class (4-D NIfTI).")
@click.option(
    "--entropy", is_flag=True, help="Also write a map of where to distrust the result: 0 sure, 1 undecided (NIfTI)."
)
@click.option("--preview", is_flag=True, help="Also draw slices with the outlines of what was found (PNG).")
@click.option(
    "--page",
    is_flag=True,
    help="Also write a page to look through the scan and its structures (HTML); for a folder, also index.html.",
)
@options.postprocess
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
    page,
    postprocess,
    model_metadata,
    cohort,
    overwrite,
    verbose,
    beam_options,
    **settings,
):
    """Segment scans; each label map has its scan's own grid.

    Scans must be of the run's target domain. Labels are the structures of the run's task, numbered from 1 in its order.
    Other files lie beside the label map: labels_entropy.nii.gz beside labels.nii.gz. This is not a medical device.

    With --server the slices go to a model that `attent export` wrote, and the scan's own voxels are labelled here, without
    TensorFlow; --model-metadata or --run says how scans are prepared.

    With --cohort each scan of a list is segmented by the package or the exported model that --model names; what follows
    `--` goes to Apache Beam.

    Exit codes: 0 all scans done; 1 error, no label map written; 2 wrong usage; 3 some scans of the folder or list failed.

    \b
    Examples:
      attent segment --run runs/attent --input scan.nii.gz --out labels.nii.gz
      attent segment --run runs/attent --input dicom_folder --out labels.nii.gz --dicom-seg --preview
      attent segment --model abdomen.attent --input scan.nii.gz --out labels.nii.gz
      attent segment --run runs/attent --input scans --out labels --entropy --report labels/report.json
      attent segment --server http://localhost:8501 --model-metadata models/attent/1 --input scan.nii.gz --out labels.nii.gz
      attent segment --cohort list.csv --model models/attent/1 --out results -- \\
          --direct_running_mode=multi_processing --direct_num_workers=4
    """
    if cohort is not None:
        from .cohort import segment_cohort

        segment_cohort(context, cohort, out, overwrite, verbose, beam_options)
        return
    check_no_cohort_options(context)
    from attent_tf.inference.scans import ScanPipeline
    from attent_tf.inference.tasks import Segmenting
    from attent_tf.volumes.find_scans import find_scans

    from .deployed import get_ready, open_deployed
    from .outputs import answer_paths, beside, check_writes, refused_names
    from .pages import write_index
    from .scans import Tally, checked_report_name, reading, warn

    found = find_scans(source)
    answers = answer_paths(found, source, out)
    wanted = {
        kind: suffix
        for kind, suffix, chosen in (
            ("entropy", None, entropy),
            ("probabilities", None, probabilities),
            ("seg", ".dcm", dicom_seg),
            ("preview", ".png", preview),
            ("page", ".html", page),
        )
        if chosen
    }
    outputs = {
        name: [answer, *(beside(answer, kind, suffix) for kind, suffix in wanted.items())]
        for name, answer in answers.items()
    }
    refused = refused_names(found, outputs)
    named = [path for name, paths in outputs.items() if name not in refused for path in paths]
    indexes = [Path(out) / "index.html"] if page and not found.single else []
    check_writes([*named, *indexes, *checked_report_name(settings["report"])], [scan.path for scan in found.scans])
    run = read_source(run_folder, settings["server"], model_metadata, settings["model"])
    room = next(iter(answers.values())).parent if probabilities else None
    scan_reading = reading(run, settings, dicom_seg)
    pipeline = ScanPipeline(
        scan_reading,
        Segmenting(run.task, run.postprocessing.asked(postprocess), entropy, room),
        functools.partial(open_deployed, run, settings),
        functools.partial(get_ready, settings),
        ConsoleObserver("slices"),
    )
    tally = Tally(found, settings, refused)
    for answer in tally.answers(pipeline):
        name = answer.scan.name
        paths = dict(zip(["labels", *wanted], outputs[name], strict=True))
        with tally.done(answer, paths):
            with answer.scan.watch.phase("writing"):
                _write(run, answer, paths, scan_reading)
            warn(answer.warnings)
            _tell(answer.volumes_ml, paths, found.single)
        del answer
    for path in indexes:
        write_index(path, run.task, tally)
    tally.end(run, pipeline)


def _write(run, answer, outputs, reading) -> None:
    from attent_tf.files import write_bytes
    from attent_tf.volumes import write_fractions, write_labels

    from .pages import write_page

    scan, found = answer.scan, answer.segmentation
    geometry, placement = scan.prepared.geometry, scan.prepared.placement
    if "probabilities" in outputs:
        write_fractions(outputs["probabilities"], found.probabilities, placement)
    if "entropy" in outputs:
        write_fractions(outputs["entropy"], found.entropy, placement)
    title = f"{run.method.title}, {run.direction}"
    if "seg" in outputs:
        from attent_tf.inference.dicom_seg import write_dicom_seg

        device = f"{run.method.id}-{run.direction}-{run.records}"
        write_dicom_seg(outputs["seg"], found.labels, scan.series, run.task, device, f"{run.task.title} by {title}")
    if "preview" in outputs:
        from attent_tf.reporting.contact_sheet import draw_contact_sheet

        heading = f"{scan.name}: {title}"
        sheet = draw_contact_sheet(
            run.task, scan.prepared.images, found.labels_on_grid, heading, geometry.record_spacing_mm, answer.volumes_ml
        )
        write_bytes(outputs["preview"], sheet)
    if "page" in outputs:
        write_page(outputs["page"], run.task, answer, reading, title)
    # Last, so that where there is a label map there is all that was asked for.
    write_labels(outputs["labels"], found.labels, placement)


def _tell(volumes, outputs, single: bool) -> None:
    words = {name.replace("_", " "): volume for name, volume in volumes.items()}
    if single:
        width = max(map(len, words)) + 1
        for word, volume in words.items():
            click.echo(f"{word:{width}s}{volume:8.0f} mL")
    else:
        click.echo("  " + ", ".join(f"{word} {volume:.0f} mL" for word, volume in words.items()))
    for path in outputs.values():
        click.echo(f"{'' if single else '  '}Wrote {path}")
