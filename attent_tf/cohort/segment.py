"""One scan of a cohort: read, segmented, and written as a label map with its sidecar. A function of files, without Beam."""

import contextlib
import dataclasses
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from attent_tf.choices import OrientationPolicy
from attent_tf.cohort.documents import InputState, ModelIdentity, Sidecar
from attent_tf.cohort.listing import CohortScan
from attent_tf.cohort.results import FORMAT, CohortFolder, input_state, model_identity, read_model
from attent_tf.errors import AttentError, InputError, faults_of_scan
from attent_tf.files import json_bytes
from attent_tf.inference.deployed import Deployed, open_chain, open_exported
from attent_tf.inference.scan_report import input_sha256
from attent_tf.inference.scans import FailedScan, Reading, ReadScan, ScanPipeline
from attent_tf.inference.tasks import SegmentedScan, Segmenting
from attent_tf.postprocessing import Postprocessing
from attent_tf.runs import load_run
from attent_tf.stopwatch import Stopwatch
from attent_tf.storage import fetched, is_remote
from attent_tf.tasks import Domain, Task
from attent_tf.versions import package_versions
from attent_tf.volumes import PrepareOptions, write_labels
from attent_tf.volumes.find_scans import FoundScan


class SkippedScan(Exception):  # noqa: N818 - no error of the job
    """A scan that is set aside; the text is one line that says why."""


@dataclasses.dataclass(frozen=True)
class CohortModel:
    """An exported model that is ready to segment a cohort.

    Attributes:
      deployed: the exported chain.
      identity: from `model_identity`.
      task: whose classes its labels are.
      target: the domain of its scans.
      options: how scans are prepared.
      postprocessing: what is done to label maps.
      versions: the versions of the packages here.
    """

    deployed: Deployed
    identity: ModelIdentity
    task: Task
    target: Domain
    options: PrepareOptions
    postprocessing: Postprocessing
    versions: dict[str, str | None]


def open_model(
    folder: str | os.PathLike, batch_size: int | None = None, postprocess: bool | None = None
) -> CohortModel:
    """Starts TensorFlow and loads a package or an exported model.

    Args:
      folder: the folder of a version, or the file of a package.
      batch_size: slices at once; chosen for the device if None.
      postprocess: see `read_model`.

    Raises:
      AttentError: it is neither a package nor a folder that `attent export` wrote, or it is damaged.
    """
    contract = read_model(folder, postprocess)
    if Path(folder).is_file():
        deployed = open_chain(load_run(folder), batch_size)
    else:
        deployed = open_exported(folder, contract.prepare_options, contract.task.num_classes, batch_size)
    identity = model_identity(contract)
    target = contract.task.domain(contract.target)
    preparation = (contract.task, target, contract.prepare_options, contract.postprocessing)
    return CohortModel(deployed, identity, *preparation, package_versions())


def segment_scan(
    scan: CohortScan, folder: CohortFolder, model: CohortModel, orientation_policy: OrientationPolicy = "strict"
) -> Sidecar:
    """Segments a scan, unless its result is there already, and writes label map and sidecar.

    Args:
      scan: a scan of the list.
      folder: where the results go.
      model: from `open_model`.
      orientation_policy: see `read_scan`.

    Returns:
      The sidecar.

    Raises:
      SkippedScan: the scan cannot be used, or no result of it written; nothing is left of one that it had.
      OSError: the machine is at fault, such as a full disk.
      RunError: not even one slice fits into the device's memory.
    """
    try:
        with contextlib.ExitStack() as stack:
            with _faults_of(scan):
                place = stack.enter_context(fetched(scan.path))
            done = _segmented(scan, place, folder, model, orientation_policy)
    except SkippedScan as skipped:
        # A scan that was fetched is known by where it came from.
        if is_remote(scan.path):
            raise SkippedScan(str(skipped).replace(place, scan.path)) from skipped
        raise
    return done


def _segmented(
    scan: CohortScan, place: str, folder: CohortFolder, model: CohortModel, orientation_policy: OrientationPolicy
) -> Sidecar:
    """Does what `segment_scan` does with a scan that lies on this machine at `place`."""
    watch, began = Stopwatch(), time.perf_counter()
    reading = Reading(model.target, model.options, orientation_policy, scan.series or None)
    pipeline = ScanPipeline(reading, Segmenting(model.task, model.postprocessing), lambda: model.deployed)
    try:
        with contextlib.closing(pipeline.run([FoundScan(Path(place), scan.case)])) as steps:
            with _faults_of(scan):
                # Before the scan is read: a change meanwhile must be seen by the next job.
                state = input_state(scan)
                with watch.phase("checksum"):
                    state["sha256"] = input_sha256(place)
                done = folder.complete(scan, model.identity, orientation_policy, state["sha256"])
                if done is None:
                    _next(steps)
            if done is None:
                folder.discard(scan.case)
            with faults_of_scan(scan.path):
                if done is None:
                    answer = _next(steps)
                    done = _written(answer, state, orientation_policy, folder, model)
                    done["warnings"] = [line.replace(place, scan.path) for line in done["warnings"]]
                    spent = watch.seconds | answer.scan.watch.seconds | {"total": time.perf_counter() - began}
                    done["seconds"] = {phase: round(seconds, 3) for phase, seconds in spent.items()}
                done["input"] = state
                folder.write(folder.sidecar(scan.case), json_bytes(done))
    except (SkippedScan, InputError) as error:
        folder.discard(scan.case)
        raise SkippedScan(" ".join(str(error).splitlines())) from error
    return done


def _next(steps: Iterator[ReadScan | SegmentedScan | FailedScan]) -> ReadScan | SegmentedScan:
    step = next(steps)
    if isinstance(step, FailedScan):
        raise step.error
    return step


def _written(
    answer: SegmentedScan,
    state: InputState,
    orientation_policy: OrientationPolicy,
    folder: CohortFolder,
    model: CohortModel,
) -> Sidecar:
    """Writes the label map; returns the sidecar without the time that it took."""
    scan, name = answer.scan, folder.labels(answer.scan.name)
    with scan.watch.phase("writing"), tempfile.TemporaryDirectory(prefix="attent-labels-") as scratch:
        path = Path(scratch) / name
        write_labels(path, answer.segmentation.labels, scan.prepared.placement)
        content = path.read_bytes()
        folder.write(name, content)
    entry = answer.entry({})
    return {
        "format": FORMAT,
        "case": scan.name,
        "input": state,
        "model": model.identity,
        "labels": {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "shape": entry["shape"],
        "spacing_mm": entry["spacing_mm"],
        "intensity": entry["intensity"],
        "warnings": entry["warnings"],
        "mean_entropy": entry["mean_entropy"],
        "organs": entry["organs"],
        "postprocessing": entry["postprocessing"],
        "device": model.deployed.device,
        "versions": model.versions,
        "orientation_policy": orientation_policy,
        "seconds": {},
    }


@contextlib.contextmanager
def _faults_of(scan: CohortScan) -> Iterator[None]:
    """Turns whatever a scan brings about into a line that says why it is set aside; faults of the machine go on."""
    try:
        with faults_of_scan(scan.path):
            yield
    except AttentError as error:
        raise SkippedScan(" ".join(str(error).splitlines())) from error
    except OSError:
        raise
    except Exception as error:
        # One odd scan must not end a job over thousands.
        found = " ".join(f"{type(error).__name__}: {error}".split())
        advice = "please report this with the scan's header"
        raise SkippedScan(str(InputError(scan.path, "a scan that can be prepared", found, advice))) from error
