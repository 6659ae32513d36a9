"""One pipeline of scans: each is read and prepared, goes through the chain and comes back on its own voxels.

Commands and jobs iterate over `ScanPipeline.run`, and print and write what it yields. What keeps one scan from being done is
yielded too, and the next one follows. TensorFlow is loaded while the first scan is read, where that takes a while: what fails
at once needs none.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from attent_tf.ahead import one_ahead
from attent_tf.choices import OrientationPolicy
from attent_tf.errors import InputError, ServerError, faults_of_scan
from attent_tf.inference.deployed import Deployed
from attent_tf.inference.scan_report import input_sha256
from attent_tf.inference.tasks import ScanAnswer, ScanTask
from attent_tf.progress import Observer, SilentObserver
from attent_tf.stopwatch import Stopwatch
from attent_tf.tasks import Domain
from attent_tf.volumes import PreparedCase, PrepareOptions, Volume, prepare, read_scan
from attent_tf.volumes.find_scans import FoundScan
from attent_tf.volumes.plausibility import volume_warnings

# Within it most of what cannot be read is known.
_SECONDS_TO_FAIL = 0.2


@dataclasses.dataclass(frozen=True)
class ReadScan:
    """A scan that is ready for the chain; its own voxels are not needed any more.

    Attributes:
      path, name: as found.
      target: name of its domain.
      prepared: from `prepare`.
      digest: SHA-256 of the input, or None where none is wanted.
      warnings: lines for the user.
      series: what a DICOM segmentation refers to, or None where none is wanted.
      watch: holds the time of the phases so far.
    """

    path: Path
    name: str
    target: str
    prepared: PreparedCase
    digest: str | None
    warnings: tuple[str, ...]
    series: Any
    watch: Stopwatch


@dataclasses.dataclass(frozen=True)
class FailedScan:
    """A scan that could not be read or worked on.

    Attributes:
      path, name: as found.
      error: why.
    """

    path: Path
    name: str
    error: InputError | ServerError


@dataclasses.dataclass(frozen=True)
class Reading:
    """How scans are read and prepared.

    Attributes:
      target: the domain that they are read as.
      options: how they are prepared: as the training records were.
      orientation_policy, series: see `read_scan`.
      digest: whether the SHA-256 of each is wanted.
      dicom_seg: whether DICOM segmentations will refer to their series.
    """

    target: Domain
    options: PrepareOptions
    orientation_policy: OrientationPolicy = "strict"
    series: str | None = None
    digest: bool = False
    dicom_seg: bool = False

    def read(self, scan: FoundScan) -> ReadScan | FailedScan:
        """Reads and prepares a scan.

        Raises:
          OSError: the machine is at fault.
        """
        watch = Stopwatch()
        try:
            with faults_of_scan(scan.path):
                with watch.phase("reading"):
                    series = self._source_series(scan.path) if self.dicom_seg else None
                    volume = self.volume(scan)
                    digest = input_sha256(scan.path) if self.digest else None
                with watch.phase("preparing"):
                    warnings = tuple(volume_warnings(volume))
                    prepared = prepare(volume, self.options)
        except InputError as error:
            return FailedScan(scan.path, scan.name, error)
        return ReadScan(scan.path, scan.name, self.target.name, prepared, digest, warnings, series, watch)

    def volume(self, scan: "FoundScan | ReadScan") -> Volume:
        """Returns a scan as its file has it.

        Raises:
          InputError: it cannot be used.
        """
        return read_scan(scan.path, self.target, scan.name, self.orientation_policy, self.series)

    def _source_series(self, path: Path) -> Any:
        from attent_tf.inference.dicom_seg import check_source_series

        return check_source_series(path, self.target, self.series)


@dataclasses.dataclass
class ScanPipeline:
    """Scans in, answers on their own voxels out.

    Attributes:
      reading: how scans are read.
      task: what is made of them.
      open_chain: opens the chain when the first scan is ready for it.
      get_ready: does what opening takes first and no scan is needed for, such as loading libraries, while the first one is read.
      observer: shows the progress of each scan.
      deployed: the chain, once it is open.
      watch: holds the time of `starting`.
    """

    reading: Reading
    task: ScanTask
    open_chain: Callable[[], Deployed]
    get_ready: Callable[[], object] = lambda: None
    observer: Observer = dataclasses.field(default_factory=SilentObserver)
    deployed: Deployed | None = None
    watch: Stopwatch = dataclasses.field(default_factory=Stopwatch)

    def run(self, scans: Sequence[FoundScan]) -> Iterator[ReadScan | ScanAnswer | FailedScan]:
        """Does the task for each scan, the next one being read meanwhile.

        Args:
          scans: the scans in the order in which they are done.

        Yields:
          Of each scan, what was read and then the answer, which holds until the next step; or why there is none.

        Raises:
          OSError: the machine is at fault: the next scan would fare no better.
          AttentError: the chain cannot be opened or used.
        """
        # Resampling multiplies many small matrices: several threads of linear algebra only wait for one another there.
        with (
            threadpool_limits(1, "blas"),
            contextlib.closing(one_ahead(map(self.reading.read, scans), self.get_ready, _SECONDS_TO_FAIL)) as steps,
        ):
            for scan in steps:
                yield scan
                if isinstance(scan, FailedScan):
                    continue
                if self.deployed is None:
                    with self.watch.phase("starting"):
                        self.deployed = self.open_chain()
                try:
                    with faults_of_scan(scan.path), self.task.answer(scan, self.deployed, self.observer) as answer:
                        yield answer
                        del answer
                except InputError as error:
                    yield FailedScan(scan.path, scan.name, error)
                except ServerError as error:
                    # A server that was there when the first scan was ready may be there again for the next one.
                    yield FailedScan(scan.path, scan.name, ServerError(f"{scan.path}: {error}"))
