"""The preprocessing job: plan, run the pipeline, publish the folder."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from attent_tf.data.manifest import Manifest, ManifestCase, ManifestShard, make_manifest, write_manifest
from attent_tf.data.verify import check_no_leak
from attent_tf.datasets import CaseFiles, find_cases
from attent_tf.errors import InputError, RecordsError
from attent_tf.files import folder_written_aside
from attent_tf.volumes import CaseGeometry
from beam_preprocess import notes
from beam_preprocess.options import PreprocessOptions
from beam_preprocess.plan import PlannedCase, plan_cases
from beam_preprocess.runner import new_pipeline


def run(
    options: PreprocessOptions, beam_options: Sequence[str] = (), report: Callable[[str], None] | None = None
) -> Manifest:
    """Turns data folders into a records folder, which appears complete or not at all.

    Args:
      options: the data, the rules and the folder to make.
      beam_options: Beam's own flags, such as `--direct_num_workers=2`.
      report: called with a line for each case that is done, from another thread.

    Returns:
      The manifest of the folder.

    Raises:
      InputError: a data folder or a case is not what it should be, or `out` exists.
      ConfigError: a rule does not fit the data, or a Beam option is wrong.
    """
    options.check()
    pipeline = new_pipeline(beam_options)
    planned = plan_cases(find_all(options), options)
    try:
        with folder_written_aside(options.out) as folder:
            # Workers may stand in another directory.
            folder = folder.resolve()
            work_folder = folder / "work"
            work_folder.mkdir()
            _run_pipeline(pipeline, planned, options, folder, work_folder, report)
            manifest = _gather(planned, options, work_folder)
            shutil.rmtree(work_folder)
            write_manifest(folder, manifest)
    except OSError as error:
        where = error.filename or options.out
        raise InputError(f"{where}: cannot be written ({error.strerror or error}); choose another --out") from error
    return manifest


def find_all(options: PreprocessOptions) -> list[CaseFiles]:
    """Returns the cases of both data folders."""
    cases = []
    for root, domain in ((options.mri, "mri"), (options.ct, "ct")):
        if root is not None:
            cases.extend(find_cases(root, domain))
    return cases


def _run_pipeline(
    pipeline,
    planned: list[PlannedCase],
    options: PreprocessOptions,
    folder: Path,
    work_folder: Path,
    report: Callable[[str], None] | None,
) -> None:
    from beam_preprocess.transforms import build

    done = 0

    def tell(entry: dict) -> None:
        nonlocal done
        done += 1
        if report is not None:
            kept = f"{entry['slices']} of {entry['slice_count']} slices"
            report(f"[{done}/{len(planned)}] {entry['case']}: {entry['domain']}, {entry['split']}, {kept}")

    try:
        with notes.watched(work_folder, notes.CASE, tell), pipeline:
            build(pipeline, planned, options, str(folder), str(work_folder))
    except Exception:
        refusal = notes.first_refusal(work_folder)
        if refusal is None:
            raise
        # The runner's own account of it is text around text; the user needs the line alone.
        raise refusal from None


def _gather(planned: list[PlannedCase], options: PreprocessOptions, work_folder: Path) -> Manifest:
    """Makes the manifest out of the workers' notes and checks that every case and shard is among them."""
    entries = sorted(notes.collect(work_folder, notes.CASE), key=lambda entry: entry.pop("position"))
    cases = [ManifestCase(**entry | {"geometry": CaseGeometry.from_json(entry["geometry"])}) for entry in entries]
    shards = sorted(
        (ManifestShard(**note) for note in notes.collect(work_folder, notes.SHARD)), key=lambda shard: shard.file
    )
    wanted = [(case.files.case, case.shard) for case in planned]
    if [(case.case, case.shard) for case in cases] != wanted or {shard.file for shard in shards} != {
        case.shard for case in planned
    }:
        raise RecordsError(
            f"{options.out}: {len(cases)} of {len(wanted)} cases and {len(shards)} shards came back from the workers; "
            "check that all of them see the folder, and run again"
        )
    check_no_leak(cases, str(options.out))
    return make_manifest(options.for_manifest(len(shards)), cases, shards)
