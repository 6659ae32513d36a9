"""DICOM folders put together by chance: series, objects and other files under all kinds of names, one of them damaged."""

import dataclasses
import random
import re
import shutil
from pathlib import Path

import numpy as np

from attent_tf.errors import AttentError
from attent_tf.volumes import read_scan
from attent_tf.volumes.find_scans import find_scans
from tests.fuzz.mutations import damaged_bytes
from tests.support.abdomen import CT
from tests.support.dicom_folders import (
    enhanced_dataset,
    heights,
    write_enhanced,
    write_report,
    write_screenshot,
    write_series,
)

_SLICES = 4
_NAMES = ("IM{:04d}.dcm", "IM{:04d}", "{}", "1.2.840.{}", "slice{:03d}.ima", "{:05d}.DCM")
_STRAYS = ("Thumbs.db", "LOCKFILE", "00_note", "notes.txt", ".DS_Store", "DICOMDIR", "report.pdf", "Zz")
_LEFT_OUT = re.compile(r"left out (\d+) file")


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Whole files to put together, as bytes.

    Attributes:
      series: the slices of two series whose positions alternate.
      enhanced: an object with the frames of the first.
      objects: DICOM that is no slice.
    """

    series: tuple[list[bytes], list[bytes]]
    enhanced: bytes
    objects: list[bytes]

    @classmethod
    def make(cls, folder: Path) -> "Pieces":
        voxels = np.arange(_SLICES * 4 * 5).reshape(_SLICES, 4, 5)
        series = [
            [path.read_bytes() for path in write_series(folder / name, voxels, heights(_SLICES, start), name)]
            for name, start in (("1", 0.0), ("2", 2.5))
        ]
        enhanced = write_enhanced(folder / "enhanced.dcm", enhanced_dataset(voxels, heights(_SLICES)))
        objects = [write_report(folder / "report.dcm"), write_screenshot(folder / "screenshot.dcm")]
        return cls(tuple(series), enhanced.read_bytes(), [path.read_bytes() for path in objects])


def read_odd_folder(pieces: Pieces, folder: Path, draw: random.Random) -> None:
    """Makes a folder and reads it; what is refused raises an `AttentError`, and what is lost without a word an AssertionError."""
    shutil.rmtree(folder, ignore_errors=True)
    scan = folder / "scan"
    scan.mkdir(parents=True)
    layout = draw.choice(("one series", "one series", "two series", "enhanced", "objects"))
    parts = {
        "one series": pieces.series[0],
        "two series": [*pieces.series[0], *pieces.series[1]],
        "enhanced": [pieces.enhanced],
        "objects": pieces.objects,
    }[layout]
    files = {draw.choice(_NAMES).format(number): content for number, content in enumerate(parts, start=1)}
    if draw.random() < 0.3:
        files["object"] = draw.choice(pieces.objects)
    for name in draw.sample(_STRAYS, draw.choice((0, 0, 1, 3))):
        files[name] = draw.randbytes(draw.choice((0, 40, 400)))
    is_damaged = draw.random() < 0.6
    if is_damaged:
        name = draw.choice(list(files))
        files[name] = damaged_bytes(files[name], draw, fields=1200)
    for name, content in files.items():
        (scan / name).write_bytes(content)
    try:
        assert [found.path for found in find_scans(folder).scans] == [scan]
    except AttentError:
        # One file alone may be damaged beyond knowing.
        assert is_damaged
        assert len(parts) == 1
        raise
    volume = read_scan(scan, CT)
    assert layout != "two series", "two series became one scan"
    told = sum(int(_LEFT_OUT.search(line)[1]) for line in volume.warnings)
    read = 1 if layout == "enhanced" else volume.shape[2]
    visible = [name for name in files if name[0] != "." and name != "DICOMDIR"]
    assert read + told == len(visible), f"{len(visible)} files, {read} read and {told} told of"
