"""`attent translate`: target scans in source style."""

import functools

import click

from attent_tf.methods import METHODS
from attent_tf.progress import ConsoleObserver

from . import options

*_FIRST, _LAST = (method.id for method in METHODS.values() if method.translates)
_TRANSLATING = f"{', '.join(_FIRST)} or {_LAST}"


@click.command()
@click.option(
    "--run", "run_folder", required=True, type=click.Path(), help=f"Trained run of {_TRANSLATING}, or its package."
)
@options.scans_to_files
def translate(run_folder, source, out, **settings):
    """Show target scans in source style.

    Scans must be of the run's target domain. The result has the scan's own grid. Its raw values lie within the source's
    window (in HU for CT), or between 0 and 1000 if each source scan had a window of its own. It is a picture for machines,
    not for diagnosis.

    Exit codes: 0 all scans done; 1 error, nothing written; 2 wrong usage; 3 some scans of the folder failed.

    \b
    Examples:
      attent translate --run runs/attent --input scan.nii.gz --out as_mri.nii.gz
      attent translate --run runs/attent --input dicom_folder --out as_mri.nii.gz
      attent translate --run runs/attent --input scans --out as_mri
    """
    import numpy as np

    from attent_tf.errors import RunError
    from attent_tf.inference.scans import ScanPipeline
    from attent_tf.inference.tasks import Translating
    from attent_tf.runs import load_run
    from attent_tf.volumes import write_scan
    from attent_tf.volumes.find_scans import find_scans

    from .deployed import get_ready, open_deployed
    from .outputs import answer_paths, check_writes, refused_names
    from .scans import Tally, checked_report_name, reading

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

    pipeline = ScanPipeline(
        reading(run, settings),
        Translating(run.prepare_options, run.task.domain(run.source)),
        functools.partial(open_deployed, run, settings),
        functools.partial(get_ready, settings),
        ConsoleObserver("slices"),
    )
    tally = Tally(found, settings, refused)
    for answer in tally.answers(pipeline):
        path = answers[answer.scan.name]
        with tally.done(answer, {"translation": path}):
            with answer.scan.watch.phase("writing"):
                write_scan(path, answer.image, answer.scan.prepared.placement, np.float32)
            click.echo(f"Wrote {path}")
        del answer
    tally.end(run, pipeline)
