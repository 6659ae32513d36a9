"""The exported model as Beam's RunInference runs it: loaded once a process, one scan at a time."""

import errno
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference

from attent_tf.cohort import CohortFolder, CohortScan
from attent_tf.cohort.documents import ModelIdentity, ScanDone, SetAside
from attent_tf.errors import InputError
from attent_tf.shared_folders import SharedFolder
from beam_preprocess import notes
from beam_preprocess.cohort.options import CohortOptions
from beam_preprocess.counters import NAMESPACE
from beam_preprocess.transforms import single_threaded


class CohortHandler(ModelHandler[CohortScan, PredictionResult, Any]):
    """Segments scans by their paths; what is made of them goes into the folder, and a short account of it goes on.

    Each worker process has a model of its own. Beam can keep one for all processes of a machine, but then the processes would
    wait for one another at each batch, and TensorFlow uses all cores, or shares a GPU's memory, as it is.

    Args:
      options: the options of the job.
      identity: the identity of the model that the main program saw.
      work: where workers leave notes.
    """

    def __init__(self, options: CohortOptions, identity: ModelIdentity, work: SharedFolder):
        super().__init__()
        self._options = options
        self._identity = identity
        self._work = work

    def load_model(self) -> Any:
        """Loads the model; what is wrong with it ends the job."""
        from attent_tf.cohort.segment import open_model

        folder = self._options.model
        with notes.refusals_noted(self._work, "the model"):
            model = open_model(folder, self._options.batch_size, self._options.postprocess)
            if model.identity != self._identity:
                raise InputError(
                    folder, "the model that the main program saw", "another one", "give all workers the same folder"
                )
        return model

    def run_inference(
        self, batch: Sequence[CohortScan], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterator[PredictionResult]:
        """Segments each scan of a batch; one that cannot be used is set aside."""
        del inference_args
        for scan in batch:
            yield PredictionResult(scan, self._segmented(scan, model))

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """Returns that batches are of one scan: its slices are what fills the device."""
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        """Returns the namespace that all counters of this library have."""
        return NAMESPACE

    def _segmented(self, scan: CohortScan, model: Any) -> ScanDone | SetAside:
        from attent_tf.cohort.segment import SkippedScan, segment_scan

        folder = CohortFolder(self._options.out)
        with notes.refusals_noted(self._work, scan.case), single_threaded():
            try:
                done = segment_scan(scan, folder, model, self._options.orientation_policy)
            except SkippedScan as skipped:
                return {"case": scan.case, "path": scan.path, "reason": str(skipped)}
            except OSError as error:
                raise _with_place(error, folder) from error
        volumes = {organ: found["volume_ml"] for organ, found in done["organs"].items()}
        return {"case": scan.case, "volumes_ml": volumes, "warnings": done["warnings"]}


class TellMainProgram(beam.DoFn):
    """Leaves a note of what became of a scan, and counts it."""

    def __init__(self, work: SharedFolder):
        self._work = work

    def process(self, result: PredictionResult) -> None:
        outcome = result.inference
        kind = notes.REJECTED if "reason" in outcome else notes.CASE
        notes.leave(self._work, kind, outcome["case"], outcome)
        Metrics.counter(NAMESPACE, "scans_set_aside" if kind == notes.REJECTED else "scans_done").inc()


def build(
    pipeline: beam.Pipeline,
    scans: Sequence[CohortScan],
    options: CohortOptions,
    identity: ModelIdentity,
    work: SharedFolder,
):
    """Adds the whole job to a pipeline.

    Args:
      pipeline: what to add to.
      scans: what to segment, in any order.
      options: the options of the job.
      identity: the identity of the model.
      work: where workers leave notes; every worker sees it under this path.
    """
    return (
        pipeline
        | "Scans" >> beam.Create(list(scans))
        | "Spread" >> beam.Reshuffle()
        | "Segment" >> RunInference(CohortHandler(options, identity, work))
        | "Tell" >> beam.ParDo(TellMainProgram(work))
    )


def _with_place(error: OSError, folder: CohortFolder) -> OSError:
    """Names the folder where the error names no file: writing to an open file on a full disk does not."""
    if error.filename is not None:
        return error
    return OSError(error.errno or errno.EIO, error.strerror or str(error), folder.path)
