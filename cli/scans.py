"""What a command tells of its scans while they are done, and what it ends with."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from attent_tf.deployment.model import TrainedModel
from attent_tf.errors import AttentError, InputError, faults_of_scan

if TYPE_CHECKING:
    from attent_tf.inference.scan_report import FailedEntry, ScanEntry

# Some scans of a folder could not be done; the others are there.
EXIT_SOME_FAILED = 3


class Tally:
    """Whatever keeps one scan of a folder from being read, worked on or written is one line; the others are done.

    Args:
      found: from `find_scans`.
      settings: `report` and `series` of the command.
      refused: scans of a folder that are not to be done, by their names, with the reason.
    """

    def __init__(self, found, settings: dict[str, Any], refused: Mapping[str, InputError]):
        if settings["series"] and not found.single:
            advice = "give the folder that holds the series"
            raise InputError("--series", "one DICOM folder in --input", f"a folder of {len(found.scans)} scans", advice)
        self._found, self._settings, self._refused = found, settings, refused
        self._began = time.perf_counter()
        self._done: list[ScanEntry] = []
        self._failed: list[FailedEntry] = []

    def answers(self, pipeline) -> Iterator:
        """Yields the answer for each scan, from a `ScanPipeline`, and tells the rest of what it yields."""
        from attent_tf.inference.scans import FailedScan, ReadScan

        for scan in self._found.scans:
            if scan.name in self._refused:
                self._keep_failed(scan.path, self._refused[scan.name], f"failed: {self._refused[scan.name]}")
        wanted = [scan for scan in self._found.scans if scan.name not in self._refused]
        with contextlib.closing(pipeline.run(wanted)) as steps:
            for step in steps:
                if isinstance(step, FailedScan):
                    self._fail(step.path, step.name, step.error)
                elif isinstance(step, ReadScan):
                    warn(step.warnings)
                    if not self._found.single:
                        click.echo(f"{self._place()} {step.name}")
                else:
                    yield step

    @contextlib.contextmanager
    def done(self, answer, outputs: Mapping[str, Path]) -> Iterator[None]:
        """Counts a scan as done after the block that writes its files (kind -> path), or as failed where that fails."""
        try:
            with faults_of_scan(answer.scan.path):
                yield
            # What the report says of a series that was asked for: its path stands for several.
            series = {"series": self._settings["series"]} if self._settings["series"] else {}
            self._done.append(answer.entry(outputs) | series)
        except InputError as error:
            self._fail(answer.scan.path, answer.scan.name, error)

    def end(self, run, pipeline) -> None:
        """Writes the report if one is wanted, lists what failed, and ends the command with its exit code."""
        if path := self._settings["report"]:
            from attent_tf.files import write_json
            from attent_tf.inference.scan_report import report

            seconds = pipeline.watch.seconds | {"total": time.perf_counter() - self._began}
            _, device, batch_size = pipeline.deployed or (None, None, None)
            write_json(path, report(run, device, batch_size, seconds, self._done, self._failed))
            click.echo(f"Wrote {path}")
        if self._failed:
            click.echo(
                f"Error: {len(self._failed)} of {self._count} scans failed; the others were processed:", err=True
            )
            for failure in self._failed:
                click.echo(f"  {failure['reason']}", err=True)
            click.get_current_context().exit(EXIT_SOME_FAILED if self._done else 1)

    @property
    def done_entries(self) -> "list[ScanEntry]":
        """What the report says of each scan that is done."""
        return list(self._done)

    @property
    def failed_names(self) -> list[str]:
        """What the scans that failed are called."""
        return [Path(failure["input"]).name for failure in self._failed]

    @property
    def _count(self) -> int:
        return len(self._found.scans)

    def _place(self) -> str:
        return f"[{len(self._done) + len(self._failed) + 1}/{self._count}]"

    def _fail(self, path: Path, name: str, error: AttentError) -> None:
        if self._found.single:
            raise error
        self._keep_failed(path, error, f"{name}: failed")

    def _keep_failed(self, path: Path, error: AttentError, line: str) -> None:
        click.echo(f"{self._place()} {line}", err=True)
        self._failed.append({"input": str(path), "reason": " ".join(str(error).splitlines())})


def reading(run: TrainedModel, settings: dict[str, Any], dicom_seg: bool = False):
    """Returns as a `Reading` how scans are read for a run, or for the contract of a model, by the command's options."""
    from attent_tf.inference.scans import Reading

    policy, series = settings["orientation_policy"], settings["series"]
    return Reading(
        run.task.domain(run.target), run.prepare_options, policy, series, bool(settings["report"]), dicom_seg
    )


def warn(lines: Iterable[str]) -> None:
    """Shows warnings."""
    for line in lines:
        click.echo(f"Warning: {line}", err=True)


def checked_report_name(path: str | None) -> list[Path]:
    """Returns the report's path, if one is wanted, as a list.

    Raises:
      AttentError: its name is not that of a JSON file.
    """
    if path is not None and not path.endswith(".json"):
        raise AttentError(f"--report {path}: expected a name that ends in .json")
    return [Path(path)] if path is not None else []
