"""The cohort job: what is complete is skipped, the rest goes through the pipeline, and the manifest is made of all."""

import contextlib
import dataclasses
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

from attent_tf.cohort import CohortFolder, CohortScan
from attent_tf.cohort.documents import ModelIdentity, ScanDone, SetAside
from attent_tf.cohort.manifest import write_manifest
from attent_tf.cohort.results import model_identity, read_model
from attent_tf.counting import counted
from attent_tf.errors import InputError
from attent_tf.inference.exported_chain import check_saved_model
from attent_tf.shared_folders import LocalFolder, RemoteFolder, SharedFolder
from attent_tf.storage import answers, is_remote
from beam_preprocess import notes
from beam_preprocess.cohort.options import CohortOptions
from beam_preprocess.runner import new_pipeline, run_noted


@dataclasses.dataclass(frozen=True)
class CohortOutcome:
    """What became of a cohort.

    Attributes:
      done: number of scans that have a result.
      skipped: how many of them had one before.
      failed: `case`, `path` and `reason` of each scan that was set aside.
    """

    done: int
    skipped: int
    failed: tuple[dict[str, str], ...]


def run_cohort(
    scans: Sequence[CohortScan],
    options: CohortOptions,
    beam_options: Sequence[str] = (),
    report: Callable[[str], None] | None = None,
) -> CohortOutcome:
    """Segments the scans of a list that have no result yet, and writes the manifest of all.

    Args:
      scans: from `read_cohort`.
      options: the model, the folder and how scans are read.
      beam_options: Beam's own flags, such as `--direct_num_workers=2`.
      report: called with a line for each scan that is done or set aside, from another thread.

    Returns:
      What became of the scans.

    Raises:
      InputError: the model cannot be read, the folder is not for it, or an output would lie among the scans; or a worker
        could not write.
      RecordsError: results did not come back from the workers.
      ConfigError: a Beam option is wrong, or the runner cannot be started.
    """
    report = report or (lambda _: None)
    scans = tuple(scans)
    # Workers are at home in other folders.
    out = options.out.rstrip("/") if is_remote(options.out) else os.path.abspath(options.out)
    options = dataclasses.replace(options, model=os.path.abspath(options.model), out=out)
    new_pipeline(beam_options)
    if not os.path.isfile(options.model):
        check_saved_model(options.model)
    contract = read_model(options.model, options.postprocess)
    identity = model_identity(contract)
    folder = CohortFolder(options.out)
    _check_apart(scans, folder)
    with folder.claimed(identity, options.overwrite, scans):
        begun, policy = folder.begun(), options.orientation_policy
        remote = is_remote(folder.path) or any(is_remote(scan.path) for scan in scans)
        done = answers(
            lambda scan: scan.case in begun and folder.complete(scan, identity, policy) is not None, scans, remote
        )
        pending = [scan for scan, is_done in zip(scans, done, strict=True) if not is_done]
        skipped = len(scans) - len(pending)
        report(f"{counted(len(scans), 'scan')}, {skipped} complete already")
        failed = []
        if pending:
            # Until all is done there is no manifest that could be taken for that of this list.
            folder.discard_summaries()
            with _work(folder) as work:
                failed = _run(pending, options, identity, beam_options, work, report)
        lost = {scan["case"] for scan in failed}
        wanted = [scan.case for scan in scans if scan.case not in lost]
        write_manifest(folder, identity, contract.task.structure_names, wanted, failed)
    return CohortOutcome(len(wanted), skipped, tuple(failed))


def _run(
    pending: list[CohortScan],
    options: CohortOptions,
    identity: ModelIdentity,
    beam_options: Sequence[str],
    work: SharedFolder,
    report: Callable[[str], None],
) -> list[SetAside]:
    """Runs the pipeline; returns the scans that were set aside."""
    from beam_preprocess.cohort.handler import build

    told = 0

    def tell(case: str, found: str) -> None:
        nonlocal told
        told += 1
        report(f"[{told}/{len(pending)}] {case}: {found}")

    def tell_done(scan: ScanDone) -> None:
        found = (f"{name.replace('_', ' ')} {ml:.0f} mL" for name, ml in scan["volumes_ml"].items())
        tell(scan["case"], ", ".join(found))
        for line in scan["warnings"]:
            report(f"Warning: {line}")

    def tell_set_aside(scan: SetAside) -> None:
        tell(scan["case"], f"set aside: {scan['reason']}")

    run_noted(
        new_pipeline(beam_options),
        work,
        {notes.CASE: tell_done, notes.REJECTED: tell_set_aside},
        lambda pipeline: build(pipeline, pending, options, identity, work),
    )
    return notes.collect(work, notes.REJECTED)


def _check_apart(scans: Sequence[CohortScan], folder: CohortFolder) -> None:
    """Refuses a folder in which results would replace scans or be taken for slices of one."""
    out = _real(folder.path)
    for scan in scans:
        place = _real(scan.path)
        if place.parent == out or out.is_relative_to(place):
            raise InputError(
                folder.path,
                "a folder apart from the scans",
                f"the one that {scan.path} lies in",
                "choose another --out",
            )


def _real(path: str) -> PurePath:
    return PurePath(path if is_remote(path) else os.path.realpath(path))


@contextlib.contextmanager
def _work(folder: CohortFolder) -> Iterator[SharedFolder]:
    """Yields a folder for the workers' notes that is gone after the block."""
    if is_remote(folder.path):
        notes_there = RemoteFolder(f"{folder.path}/.work-{uuid.uuid4().hex[:12]}")
        try:
            yield notes_there
        finally:
            notes_there.delete_all()
        return
    path = tempfile.mkdtemp(prefix=".work-", dir=folder.path)
    # Workers may run as another user of the group.
    os.chmod(path, os.stat(folder.path).st_mode & 0o777)
    try:
        yield LocalFolder(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
