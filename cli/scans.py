"""One scan or a folder of them through the chain: read ahead, worked on one by one, failures listed at the end."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from attent_tf.errors import AttentError, InputError, faults_of_scan
from attent_tf.stopwatch import Stopwatch
from cli.deployed import Deployed, open_deployed

# Some scans of a folder could not be done; the others are there.
EXIT_SOME_FAILED = 3


@dataclasses.dataclass(frozen=True)
class LoadedScan:
    """A scan that is ready for the chain; its own voxels are not needed any more.

    Attributes:
      path, name: as found.
      answer: the NIfTI file to write.
      prepared: from `prepare`.
      digest: SHA-256 of the input, or None where no report is wanted.
      warnings: lines for the user.
      extra: what `check` of `each_scan` returned.
      watch: holds the time of the phases so far.
    """

    path: Path
    name: str
    answer: Path
    prepared: Any
    digest: str | None
    warnings: list[str]
    extra: Any
    watch: Stopwatch


def each_scan(
    run,
    found,
    answers: dict[str, Path],
    settings: dict[str, Any],
    work: Callable[[LoadedScan, Deployed], dict[str, Any]],
    check: Callable[[Path], Any] = lambda _: None,
    refused: Mapping[str, InputError] = MappingProxyType({}),
) -> None:
    """Does `work` for each scan, the next one being read meanwhile, and ends the command with its exit code.

    Whatever keeps one scan of a folder from being read, worked on or written is one line; the others are done.

    TensorFlow starts, or the server is asked, when the first scan has been read and found usable.

    Args:
      run: a trained run.
      found: from `find_scans`.
      answers: from `answer_paths`.
      settings: `report`, `series` and `orientation_policy` of the command, and what `open_deployed` takes.
      work: writes the files of a scan and returns its part of the report.
      check: looks at a scan's path before the scan is read; what it returns is handed on.
      refused: scans of a folder that are not to be done, by their names, with the reason.
    """
    from threadpoolctl import threadpool_limits

    if settings["series"] and not found.single:
        advice = "give the folder that holds the series"
        raise InputError("--series", "one DICOM folder in --input", f"a folder of {len(found.scans)} scans", advice)
    began, watch = time.perf_counter(), Stopwatch()
    deployed, done, failed = None, [], []
    wanted, count = [scan for scan in found.scans if scan.name not in refused], len(found.scans)

    def keep_failed(scan, error: InputError, line: str) -> None:
        failed.append({"input": str(scan.path), "reason": " ".join(str(error).splitlines())})
        click.echo(f"[{len(done) + len(failed)}/{count}] {line}", err=True)

    for scan in found.scans:
        if scan.name in refused:
            keep_failed(scan, refused[scan.name], f"failed: {refused[scan.name]}")
    # Resampling multiplies many small matrices: several threads of linear algebra only wait for one another there.
    with (
        threadpool_limits(1, "blas"),
        contextlib.closing(_loaded(run, wanted, answers, settings, check)) as loaded,
    ):
        for scan, load in loaded:
            try:
                one = load()
                for line in one.warnings:
                    click.echo(f"Warning: {line}", err=True)
                if deployed is None:
                    with watch.phase("starting"):
                        deployed = open_deployed(run, settings)
                if not found.single:
                    click.echo(f"[{len(done) + len(failed) + 1}/{count}] {scan.name}")
                with faults_of_scan(scan.path):
                    done.append(work(one, deployed) | _chosen(settings))
            except InputError as error:
                if found.single:
                    raise
                keep_failed(scan, error, f"{scan.name}: failed")
    if settings["report"]:
        _write_report(run, deployed, watch, time.perf_counter() - began, done, failed, settings["report"])
    if failed:
        _tell_failed(failed, count)
        click.get_current_context().exit(EXIT_SOME_FAILED if done else 1)


def _loaded(run, scans, answers, settings, check) -> Iterator[tuple[Any, Callable[[], LoadedScan]]]:
    """Yields each scan with what waits for its reading; one scan is read ahead."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        futures = []
        try:
            for place, scan in enumerate(scans):
                for later in scans[len(futures) : place + 2]:
                    futures.append(pool.submit(_load, run, later, answers[later.name], settings, check))
                yield scan, futures[place].result
                # Otherwise its images would be held to the end.
                futures[place] = None
        finally:
            for future in futures:
                if future is not None:
                    future.cancel()


def _load(run, scan, answer, settings, check) -> LoadedScan:
    from attent_tf.inference.scan_report import input_sha256
    from attent_tf.volumes import prepare, read_scan
    from attent_tf.volumes.plausibility import volume_warnings

    watch = Stopwatch()
    with faults_of_scan(scan.path):
        with watch.phase("reading"):
            extra = check(scan.path)
            volume = read_scan(scan.path, run.target, scan.name, settings["orientation_policy"], settings["series"])
            digest = input_sha256(scan.path) if settings["report"] else None
        with watch.phase("preparing"):
            warnings = volume_warnings(volume)
            prepared = prepare(volume, run.prepare_options)
    return LoadedScan(scan.path, scan.name, answer, prepared, digest, warnings, extra, watch)


def _chosen(settings) -> dict[str, str]:
    """What the report says of a series that was asked for: its path stands for several."""
    return {"series": settings["series"]} if settings["series"] else {}


def _write_report(run, deployed, watch, total, done, failed, path) -> None:
    from attent_tf.files import write_json
    from attent_tf.inference.scan_report import report

    device, batch_size = (deployed.device, deployed.batch_size) if deployed else (None, None)
    write_json(path, report(run, device, batch_size, watch.seconds | {"total": total}, done, failed))
    click.echo(f"Wrote {path}")


def _tell_failed(failed, count: int) -> None:
    click.echo(f"Error: {len(failed)} of {count} scans failed; the others are done:", err=True)
    for one in failed:
        click.echo(f"  {one['reason']}", err=True)


def checked_report_name(path: str | None) -> list[Path]:
    """Returns the report's path, if one is wanted, as a list.

    Raises:
      AttentError: its name is not that of a JSON file.
    """
    if path is not None and not path.endswith(".json"):
        raise AttentError(f"--report {path}: expected a name that ends in .json")
    return [Path(path)] if path is not None else []
