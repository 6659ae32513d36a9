"""How large a report of ten CT cases becomes, and how long it takes: at most 25 MB is asked for.

Run: python benchmarks/report.py [--cases 10] [--slice-mm 2.5] [--methods 1] [--out FOLDER]
Draws phantom CTs, prepares them as `attent preprocess` does (256×256 pixels; about 120 slices of 2.5 mm), and puts synthetic
predictions beside their labels: shifted, with specks, one organ missed. The translation is the image with its contrast turned
and noise of its own, the entropy a blurred rim around the predicted organs. Prints slices, megabytes and seconds; with --out the
evaluations and the page stay there.
"""

import argparse
import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from attent_tf.datasets import find_cases, read_case
from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.folder import write_evaluation
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL
from attent_tf.phantom import write_phantom
from attent_tf.reporting.report import write_report
from attent_tf.reporting.sources import EvaluationForReport
from attent_tf.tasks import load_task
from attent_tf.volumes import PrepareOptions, prepare

METHODS = ("attent", "source_only", "cyclegan", "supervised")


def synthetic_result(case: str, prepared, rank: int, place: int) -> CaseResult:
    """What a model of that place among the methods might have made of a case, worse the higher the rank."""
    rng = np.random.default_rng([rank, place])
    labels = prepared.labels
    prediction = np.roll(labels, (rank % 3, 1 + rank // 2 + 2 * place, -rank), axis=(0, 1, 2))
    specks = ndimage.gaussian_filter(rng.normal(size=labels.shape), 2.0)
    body = prepared.images > -0.95
    prediction = np.where((specks > 4.2 * specks.std()) & body, rng.integers(1, 5), prediction).astype(np.uint8)
    if rank == 3:
        prediction[prediction == load_task("abdomen").class_names.index("spleen")] = 0
    rim = ndimage.morphological_gradient((prediction > 0).astype(np.float32), size=5)
    noise = np.abs(rng.normal(scale=0.03, size=labels.shape)) * body
    entropy = np.clip(0.7 * ndimage.gaussian_filter(rim, 1.2) + noise, 0, 1).astype(np.float32)
    translated = np.where(body, 0.2 - 0.5 * prepared.images + rng.normal(scale=0.04, size=labels.shape), -1.0)
    translated = np.clip(translated, -1, 1).astype(np.float32)
    return CaseResult(
        case, prepared.images, entropy, prediction, prepared.geometry.record_spacing_mm, translated, prepared.labels
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--slice-mm", type=float, default=2.5)
    parser.add_argument("--methods", type=int, default=1, choices=range(1, len(METHODS) + 1))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        out = given.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_phantom(out / "phantom", subjects=given.cases)
        options = PrepareOptions(slice_mm=given.slice_mm)
        scans = sorted(find_cases(out / "phantom" / "malbcv", load_task(), "ct"), key=lambda files: files.case)
        prepared = [(files.case, prepare(read_case(files), options)) for files in scans]
        places = []
        for place, method in enumerate(METHODS[: given.methods]):
            header = {"method": method, "direction": "mri2ct", "protocol": DEFAULT_PROTOCOL, "seed": 0}
            results = (synthetic_result(name, case, rank, place) for rank, (name, case) in enumerate(prepared))
            write_evaluation(out / method, load_task("abdomen"), header, results, overwrite=True)
            places.append(EvaluationForReport(out / method))
        start, start_cpu = time.perf_counter(), time.process_time()
        write_report(out / "index.html", places, "Synthetic predictions on phantom CTs")
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        slices = sum(len(case.images) for _, case in prepared)
        megabytes = (out / "index.html").stat().st_size / 1e6
        counts = f"{len(prepared)} cases, {slices} slices, {given.methods} methods"
        print(f"{counts}: {megabytes:.1f} MB in {seconds:.1f} s ({cpu:.1f} s of CPU)")


if __name__ == "__main__":
    main()
