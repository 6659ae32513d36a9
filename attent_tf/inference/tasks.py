"""What is made of a prepared scan: a segmentation, or the scan in source style."""

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from attent_tf.inference.deployed import Deployed
from attent_tf.inference.scan_report import ScanEntry, findings, scan_entry, volumes_ml
from attent_tf.inference.volumes import Segmentation, segment_prepared, translate_prepared
from attent_tf.postprocessing import NO_POSTPROCESSING, Postprocessing
from attent_tf.progress import Observer
from attent_tf.tasks import Domain, Task
from attent_tf.volumes import PrepareOptions

if TYPE_CHECKING:
    from attent_tf.inference.scans import ReadScan


@dataclasses.dataclass(frozen=True)
class SegmentedScan:
    """A scan with its structures.

    Attributes:
      scan: what was read.
      segmentation: on the voxels of the scan.
      volumes_ml: structure -> millilitres.
      warnings: further lines for the user.
      postprocessing: what was done to the label map.
    """

    scan: "ReadScan"
    segmentation: Segmentation
    volumes_ml: dict[str, float]
    warnings: tuple[str, ...]
    postprocessing: Postprocessing

    def entry(self, outputs: Mapping[str, str | os.PathLike]) -> ScanEntry:
        """Returns what a report says of it; `outputs`: kind -> path of each file that was written."""
        return {
            **scan_entry(self.scan, outputs, self.warnings),
            "postprocessing": self.postprocessing.to_json(),
            **findings(self.segmentation, self.volumes_ml),
        }


@dataclasses.dataclass(frozen=True)
class TranslatedScan:
    """A scan in source style.

    Attributes:
      scan: what was read.
      image: [i, j, k] float32 on the voxels of the scan.
    """

    scan: "ReadScan"
    image: np.ndarray

    def entry(self, outputs: Mapping[str, str | os.PathLike]) -> ScanEntry:
        """Returns what a report says of it; `outputs`: kind -> path of each file that was written."""
        return scan_entry(self.scan, outputs)


@dataclasses.dataclass(frozen=True)
class Segmenting:
    """What a pipeline of scans does if structures are wanted.

    Attributes:
      task: whose classes the labels are.
      postprocessing: what is done to label maps, on the voxels of the scan and on the prepared slices.
      entropy: whether to keep the entropy map.
      probabilities_in: folder on a disk with room for the probabilities while a scan is in use; None if they are not wanted.
    """

    task: Task
    postprocessing: Postprocessing = NO_POSTPROCESSING
    entropy: bool = False
    probabilities_in: Path | None = None

    @contextlib.contextmanager
    def answer(self, scan: "ReadScan", deployed: Deployed, observer: Observer) -> Iterator[SegmentedScan]:
        """Yields the structures of a scan; probabilities are gone after the block."""
        geometry = scan.prepared.geometry
        with _room((*geometry.stored_shape, self.task.num_classes), self.probabilities_in) as room:
            answer = Segmentation.blank(scan.prepared, self.task.num_classes, self.entropy, room)
            with observer.stage("Segment", geometry.canonical_shape[0], 0) as bar:
                settings = (bar.update, deployed.batch_size, scan.watch, self.postprocessing)
                segment_prepared(deployed.chain, scan.prepared, answer, *settings)
            volumes, warnings = volumes_ml(answer.labels, geometry.voxel_ml, self.task.structure_names), ()
            if not any(volumes.values()):
                advice = f"look at the scan, its domain ({scan.target}) and its field"
                warnings = (f"{scan.path}: no structure was found; {advice}",)
            yield SegmentedScan(scan, answer, volumes, warnings, self.postprocessing)


@dataclasses.dataclass(frozen=True)
class Translating:
    """What a pipeline of scans does if the source's style is wanted.

    Attributes:
      options: how scans are prepared.
      source: the run's source domain, for the unit of the result.
    """

    options: PrepareOptions
    source: Domain

    @contextlib.contextmanager
    def answer(self, scan: "ReadScan", deployed: Deployed, observer: Observer) -> Iterator[TranslatedScan]:
        """Yields a scan in source style."""
        with observer.stage("Translate", scan.prepared.geometry.canonical_shape[0], 0) as bar:
            image = translate_prepared(
                deployed.chain, scan.prepared, self.options, self.source, bar.update, deployed.batch_size, scan.watch
            )
        yield TranslatedScan(scan, image)


ScanTask = Segmenting | Translating
ScanAnswer = SegmentedScan | TranslatedScan


@contextlib.contextmanager
def _room(shape: tuple[int, ...], folder: Path | None) -> Iterator[np.ndarray | None]:
    """Yields [i, j, k, classes] uint8 zeros on disk, which are gone after the block whatever happens; or None."""
    if folder is None:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(prefix=".aside-", dir=folder) as file:
        # A full disk must be told here: where mapped memory finds no room, the process is killed.
        os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)))
        yield np.memmap(file, np.uint8, "r+", shape=shape, order="F")
