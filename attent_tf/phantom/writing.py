"""The whole phantom: CHAOS and MALBCV folders of different, unpaired subjects."""

import concurrent.futures
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from attent_tf.errors import InputError
from attent_tf.files import folder_written_aside
from attent_tf.phantom.chaos import chaos_numbers, write_chaos_subject
from attent_tf.phantom.malbcv import malbcv_numbers, write_malbcv_subject

_WRITERS = {"chaos": write_chaos_subject, "malbcv": write_malbcv_subject}
_STREAMS = {"chaos": 1, "malbcv": 2}
_MOST_WORKERS = 2


def write_phantom(
    out: str | os.PathLike,
    subjects: int = 12,
    seed: int = 0,
    report: Callable[[str], None] | None = None,
    workers: int | None = None,
) -> None:
    """Writes a synthetic data set, completely or not at all.

    The same seed gives the same bytes on processors with the same vector instructions, whose functions agree to the last digit;
    a subject does not depend on how many others there are.

    Args:
      out: folder to make; `out/chaos` (MR) and `out/malbcv` (CT) are laid out as those data sets are.
      subjects: how many subjects of each modality; no subject has both.
      seed: any non-negative whole number.
      report: called with the name of each subject when it is written.
      workers: processes; 1 stays in this one, None takes two where there are two cores.

    Raises:
      InputError: `out` is occupied, or `subjects` or `seed` cannot be used.
    """
    check_arguments(subjects, seed)
    workers = min(_MOST_WORKERS, os.cpu_count() or 1) if workers is None else workers
    numbers = zip(chaos_numbers(subjects), malbcv_numbers(subjects), strict=True)
    tasks = [task for mr, ct in numbers for task in (("chaos", mr), ("malbcv", ct))]
    report = report or (lambda name: None)

    with folder_written_aside(out) as folder:
        if workers <= 1:
            for dataset, number in tasks:
                report(write_subject(folder, dataset, number, seed))
            return
        # Spawned, not forked: the caller may hold threads (TensorFlow's, for one).
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(workers, mp_context=context) as pool:
            futures = [pool.submit(write_subject, folder, *task, seed) for task in tasks]
            try:
                for future in concurrent.futures.as_completed(futures):
                    report(future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def write_subject(folder: Path, dataset: str, number: int, seed: int, anatomy_of: tuple[str, int] | None = None) -> str:
    """Writes one subject and returns its name.

    Args:
      folder: the subject is written below `folder / dataset`.
      dataset: `chaos` or `malbcv`.
      number: of the subject in that data set.
      seed: of the phantom.
      anatomy_of: data set and number of the subject whose body is drawn; its own if None.
    """
    body_dataset, body = anatomy_of or (dataset, number)
    rng = np.random.default_rng(np.random.SeedSequence([seed, _STREAMS[body_dataset], body]))
    _WRITERS[dataset](folder / dataset, number, rng)
    return f"chaos-{number}" if dataset == "chaos" else f"malbcv-{number:04d}"


def check_arguments(subjects: int, seed: int) -> None:
    """Raises InputError for a number of subjects, or a seed, that no phantom can be made of."""
    if subjects < 1:
        raise InputError(f"subjects: expected 1 or more of each modality, found {subjects}")
    if seed < 0:
        raise InputError(f"seed: expected a non-negative whole number, found {seed}")
