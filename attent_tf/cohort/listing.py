"""The list of a cohort's scans: a CSV file with a column `path`, and columns `case` and `series` where they are wanted."""

import csv
import dataclasses
import io
import os
from collections.abc import Iterator
from pathlib import Path

from attent_tf.counting import counted
from attent_tf.errors import InputError
from attent_tf.names import clash_key, name_problem, normal_name, stored_path
from attent_tf.storage import is_remote, open_binary
from attent_tf.volumes.nifti_header import is_nifti_name, nifti_stem

# Files of the results folder that are no case's.
RESERVED = ("cohort", "model")

_ADVICE = "give another one in the column case"


@dataclasses.dataclass(frozen=True)
class CohortScan:
    """A scan of a cohort.

    Attributes:
      case: what files made of it are called; no two scans of a list share one.
      path: absolute path of a NIfTI file, or of the folder of a DICOM series, or one with `://` on a file system of Beam.
      series: SeriesInstanceUID or number of the series to take where the folder holds several; empty if it holds one.
    """

    case: str
    path: str
    series: str = ""


def read_cohort(path: str | os.PathLike) -> tuple[CohortScan, ...]:
    """Reads the list of a cohort; the scans themselves are not looked at.

    Args:
      path: a CSV file in UTF-8 with a header. `path` is a NIfTI file or the folder of a DICOM series, relative to the list's
        folder or absolute, in either spelling of Unicode; `case` names the results, and is the file's or folder's name where
        it is empty; `series` says which one to take of a folder that holds several. Other columns are left alone.

    Returns:
      The scans in the order of the list.

    Raises:
      InputError: the list cannot be read, is empty, or names a scan or a case twice or a case that no file can be named
        for; with the line.
    """
    folder = str(path).rpartition("/")[0] if is_remote(path) else Path(os.path.abspath(path)).parent
    scans, lines_of_paths, lines_of_cases = [], {}, {}
    for line, row in _rows(path):
        scan = _scan(f"{path}, line {line}", row, folder)
        for noun, key, lines in (
            ("a scan", (scan.path, scan.series), lines_of_paths),
            ("a case name", clash_key(scan.case), lines_of_cases),
        ):
            if key in lines:
                raise InputError(
                    f"{path}, line {line}",
                    f"{noun} that is not in the list yet",
                    f"{scan.path if noun == 'a scan' else scan.case}, which line {lines[key]} has too",
                    "remove one line" if noun == "a scan" else "tell them apart in a column `case`",
                )
            lines[key] = line
        scans.append(scan)
    if not scans:
        raise InputError(path, "a line for each scan below the header", "none", "list the scans")
    return tuple(scans)


def _rows(path: str | os.PathLike) -> Iterator[tuple[int, dict[str, str]]]:
    """Yields the number of each line that is not empty, and its fields by column."""
    advice = "give a CSV file in UTF-8 with the columns path and, if wanted, case and series"
    try:
        # Spreadsheets put a mark in front of UTF-8.
        with open_binary(path) as file:
            text = file.read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = "other bytes" if isinstance(error, UnicodeDecodeError) else (error.strerror or str(error)).lower()
        raise InputError(path, "a list of scans", found, advice) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = None
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if not any(fields):
                continue
            if header is None:
                header = [field.lower() for field in fields]
                if header.count("path") != 1 or header.count("case") > 1 or header.count("series") > 1:
                    raise InputError(path, "one column path in the first line", ",".join(fields), advice)
                continue
            if len(fields) != len(header):
                raise InputError(
                    f"{path}, line {reader.line_num}",
                    f"{counted(len(header), 'field')}, as in the header",
                    str(len(fields)),
                    "put fields that hold a comma in double quotes",
                )
            yield reader.line_num, dict(zip(header, fields, strict=True))
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}", "CSV", str(error), advice) from error
    if header is None:
        raise InputError(path, "a list of scans", "an empty file", advice)


def _scan(where: str, row: dict[str, str], folder: Path | str) -> CohortScan:
    written = row["path"]
    if not written:
        raise InputError(where, "a path", "an empty field", "name the scan, or remove the line")
    if "\0" in written:
        raise InputError(where, "a path", repr(written), "name the scan")
    place = _place(written.rstrip("/") or written, folder)
    name = place.rpartition("/")[2]
    case = normal_name(row.get("case") or (nifti_stem(name) if is_nifti_name(name) else name))
    if problem := name_problem(where, case, _ADVICE):
        raise InputError(*dataclasses.astuple(problem))
    if clash_key(case) in RESERVED:
        raise InputError(where, f"a case name other than {' and '.join(RESERVED)}", case, _ADVICE)
    return CohortScan(case, place, row.get("series", ""))


def _place(written: str, folder: Path | str) -> str:
    """Returns the whole path of a scan: absolute, or with `://`."""
    if is_remote(written):
        return written
    if isinstance(folder, str) and not os.path.isabs(written):
        return f"{folder}/{written.removeprefix('./')}"
    return str(stored_path(os.path.abspath(Path(folder) / written if isinstance(folder, Path) else written)))
