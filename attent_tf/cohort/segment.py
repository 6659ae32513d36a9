"""One scan of a cohort: read, segmented, and written as a label map with its sidecar. A function of files, without Beam."""

import contextlib
import dataclasses
import os
import time
from collections.abc import Iterator
from typing import Any

from attent_tf.cohort.listing import CohortScan
from attent_tf.cohort.results import FORMAT, CohortFolder, input_state, model_identity
from attent_tf.deployment import read_contract
from attent_tf.errors import AttentError, InputError, faults_of_scan
from attent_tf.files import write_json
from attent_tf.inference.batches import choose_batch_size, gpu_free_bytes, usable_cores
from attent_tf.inference.exported_chain import ExportedChain
from attent_tf.inference.scan_report import findings, input_sha256, scan_entry, volumes_ml
from attent_tf.inference.volumes import Segmentation, segment_prepared
from attent_tf.runtime import device_name, start_quietly
from attent_tf.stopwatch import Stopwatch
from attent_tf.versions import package_versions
from attent_tf.volumes import PreparedCase, PrepareOptions, prepare, read_scan, write_labels
from attent_tf.volumes.plausibility import volume_warnings


class SkippedScan(Exception):  # noqa: N818 - no error of the job
    """A scan that is set aside; the text is one line that says why."""


@dataclasses.dataclass(frozen=True)
class CohortModel:
    """A model that is ready.

    Attributes:
      chain: the exported chain.
      identity: from `model_identity`.
      target: modality of its scans.
      options: how scans are prepared.
      batch_size: slices at once.
      device: on what it runs, in words.
      versions: of the packages here.
    """

    chain: ExportedChain
    identity: dict[str, Any]
    target: str
    options: PrepareOptions
    batch_size: int
    device: str
    versions: dict[str, str | None]


def open_model(folder: str | os.PathLike, batch_size: int | None = None) -> CohortModel:
    """Starts TensorFlow and loads an exported model.

    Args:
      folder: of a version.
      batch_size: slices at once; chosen for the device if None.

    Raises:
      InputError: it is no folder that `attent export` wrote, or it is damaged.
    """
    contract = read_contract(folder)
    start_quietly()
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # Other workers on this machine need their part; a runtime that has begun already keeps what it took.
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    options, cores = contract.prepare_options, usable_cores()
    if batch_size is None:
        batch_size = choose_batch_size(options.size, gpu_free_bytes() if gpus else None, cores)
    chain = ExportedChain(folder, options)
    identity = model_identity(contract)
    return CohortModel(chain, identity, contract.target, options, batch_size, device_name(cores), package_versions())


def segment_scan(
    scan: CohortScan, folder: CohortFolder, model: CohortModel, orientation_policy: str = "strict"
) -> dict[str, Any]:
    """Segments a scan, unless its result is there already, and writes label map and sidecar.

    Args:
      scan: of the list.
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
    watch, began = Stopwatch(), time.perf_counter()
    try:
        with _faults_of(scan):
            # Before the scan is read: a change meanwhile must be seen by the next job.
            state = input_state(scan)
            with watch.phase("checksum"):
                state["sha256"] = input_sha256(scan.path)
            done = folder.complete(scan, model.identity, orientation_policy, state["sha256"])
            if done is None:
                prepared, warnings = _prepared(scan, model, orientation_policy, watch)
        if done is None:
            folder.discard(scan.case)
        with faults_of_scan(scan.path):
            if done is None:
                done = _segmented(scan, folder, model, prepared, warnings, watch)
                done["orientation_policy"] = orientation_policy
                done["seconds"] = {phase: round(spent, 3) for phase, spent in watch.seconds.items()}
                done["seconds"]["total"] = round(time.perf_counter() - began, 3)
            done["input"] = state
            write_json(folder.sidecar(scan.case), done)
    except (SkippedScan, InputError) as error:
        folder.discard(scan.case)
        raise SkippedScan(" ".join(str(error).splitlines())) from error
    return done


def _prepared(
    scan: CohortScan, model: CohortModel, orientation_policy: str, watch: Stopwatch
) -> tuple[PreparedCase, list[str]]:
    with watch.phase("reading"):
        volume = read_scan(scan.path, model.target, scan.case, orientation_policy, scan.series or None)
    with watch.phase("preparing"):
        return prepare(volume, model.options), volume_warnings(volume)


def _segmented(
    scan: CohortScan,
    folder: CohortFolder,
    model: CohortModel,
    prepared: PreparedCase,
    warnings: list[str],
    watch: Stopwatch,
) -> dict[str, Any]:
    """Writes the label map; returns the sidecar without what is known of the input and of the time."""
    geometry, path = prepared.geometry, folder.labels(scan.case)
    answer = Segmentation.blank(prepared)
    segment_prepared(model.chain, prepared, answer, batch_size=model.batch_size, watch=watch)
    volumes = volumes_ml(answer.labels, geometry.voxel_ml)
    if not any(volumes.values()):
        warnings.append(
            f"{scan.path}: no organ was found; look at the scan, its modality ({model.target}) and its field"
        )
    with watch.phase("writing"):
        write_labels(path, answer.labels, prepared.placement)
    entry = scan_entry(scan.path, "", {}, geometry, {}, warnings)
    return {
        "format": FORMAT,
        "case": scan.case,
        "input": {},
        "model": model.identity,
        "labels": {"file": path.name, "bytes": path.stat().st_size, "sha256": input_sha256(path)},
        **{key: entry[key] for key in ("shape", "spacing_mm", "intensity", "warnings")},
        **findings(answer, volumes),
        "device": model.device,
        "versions": model.versions,
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
