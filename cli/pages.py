"""The pages of `attent segment --page`: one for each scan, and the index of a folder of them."""

from collections.abc import Iterable
from pathlib import Path

import click


def write_page(path: Path, task, answer, reading, made_by: str) -> None:
    """Writes the page of a scan.

    Args:
      path: the file to write.
      task: the task of the structures.
      answer: a `SegmentedScan`.
      reading: how its scan was read; it is read once more, because its voxels are dropped before the networks start.
      made_by: what made the label map, for people.

    Raises:
      InputError: the scan is not what it was.
    """
    from attent_tf.reporting.scan_page import write_scan_page

    scan = answer.scan
    warnings = without_path((*scan.warnings, *answer.warnings), scan.path)
    title = path.name.removesuffix("_page.html")
    labels = answer.segmentation.labels
    write_scan_page(path, reading.volume(scan), labels, task, title, made_by, answer.volumes_ml, warnings)


def write_index(path: Path, task, tally) -> None:
    """Writes the index of a folder of scans, where there is a page for it to lead to."""
    from attent_tf.reporting.scan_page import IndexedScan, write_scan_index

    scans = [
        IndexedScan(
            entry["name"],
            Path(entry["outputs"]["page"]).name,
            {name: organ["volume_ml"] for name, organ in entry["organs"].items()},
            len(entry["warnings"]),
        )
        for entry in tally.done_entries
    ]
    if scans:
        write_scan_index(path, task, f"{task.title}: {path.resolve().parent.name}", scans, tally.failed_names)
        click.echo(f"Wrote {path}")


def without_path(lines: Iterable[str], path: Path) -> list[str]:
    """Returns lines that call a scan `the scan`: folders above it may be called as the patient is."""
    return [line.replace(str(path), "the scan") for line in lines]
