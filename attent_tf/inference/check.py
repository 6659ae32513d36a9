"""The signs of a run on cases of a records folder, without a label of the target."""

import os
from collections.abc import Callable

import numpy as np

from attent_tf.data.manifest import Manifest, read_manifest
from attent_tf.data.reader import read_case_records
from attent_tf.errors import RecordsError
from attent_tf.inference.batches import run_slices
from attent_tf.inference.chain import Chain, load_chain
from attent_tf.inference.preparation import check_preparation
from attent_tf.inference.signs import SignTaker
from attent_tf.progress import Observer
from attent_tf.runs import Run
from attent_tf.signs import DEFAULT_CASES, Signs, even_choice, find_calibration, with_estimate


def check(
    run: Run,
    records: str | os.PathLike,
    observer: Observer,
    split: str = "train",
    limit: int = DEFAULT_CASES,
    calibration: str | os.PathLike | None = None,
) -> Signs:
    """Takes the signs of a run on target cases.

    Args:
      run: a trained run.
      records: a records folder with target cases of that split, prepared like the run's training records. What is held against
        the source is left out where it has no labelled training cases of the source.
      observer: shows progress.
      split: `train` or `test`.
      limit: most cases to look at, chosen evenly from those that there are.
      calibration: file by which Dice is estimated from the signs, see `attent_tf.signs.estimate`.

    Raises:
      AttentError: no such run or records, no such cases, or records of another geometry.
    """
    manifest = read_manifest(records)
    check_preparation(run, records, manifest)
    cases = manifest.select(run.target, split)
    if not cases:
        raise RecordsError(
            f"{records}: expected {split} cases of {run.target}, found none; choose the other --split, or preprocess with them"
        )
    # Before the networks run, so that a wrong file is reported at once.
    line = find_calibration(calibration)
    chosen = [cases[place] for place in even_choice(len(cases), limit)]
    chain = load_chain(run)
    taker = SignTaker(run, chain, records, manifest)
    with observer.stage(f"Check {run.method.id} on {run.target}", sum(case.slices for case in chosen), 0) as bar:
        for case in chosen:
            add_case(taker, chain, records, manifest, case.case, bar.update)
    return with_estimate(taker.signs(), line)


def add_case(
    taker: SignTaker,
    chain: Chain,
    records: str | os.PathLike,
    manifest: Manifest,
    case: str,
    report: Callable[[int], None],
) -> None:
    """Segments the slices of a case and has them counted.

    Args:
      taker: the taker of the run.
      chain: its deployed networks.
      records: the records folder.
      manifest: its manifest.
      case: name of one of its cases.
      report: called with the number of slices done since the last call.
    """
    images = np.stack([record.channels for record in read_case_records(records, manifest, case)])
    labels, entropy = np.empty(images.shape[:3], np.uint8), np.empty(images.shape[:3], np.float32)
    for part, output in run_slices(chain, images):
        labels[part], entropy[part] = output.labels, output.entropy[..., 0]
        report(len(output.labels))
    taker.add(case, images, labels, entropy)
