"""Runs of a benchmark side by side, each in a process of its own with one thread.

A step of small networks is thousands of short operations, which two threads share badly: on two cores, two processes of one
thread each do more steps than one process of two. What a run gives does not depend on what runs beside it.
"""

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from attent_tf.benchmarking.forecast import stage_is_over
from attent_tf.benchmarking.plan import BenchmarkRun
from attent_tf.configs import Config, config_to_dict
from attent_tf.errors import RunError
from attent_tf.methods import get_method
from attent_tf.progress import Observer
from attent_tf.runtime import on_processor

# Of larger images, one run keeps all cores busy, and several would need the memory of several.
_LARGEST_IMAGE = 128

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_SAVE = 120.0
_EXIT_TERMINATED = 143

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    # Several share a GPU, where someone asks for that.
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}


def usual_workers(config: Config, runs: int) -> int:
    """Returns how many runs at once are fastest: one for each core where images are small and there is no GPU, else 1.

    Args:
      config: the configuration of the runs.
      runs: how many there are in all, trained ones included, so that a benchmark goes on as it began.
    """
    if config.data.image_size > _LARGEST_IMAGE or not on_processor():
        return 1
    return max(1, min(_cores(), runs))


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def train_in_processes(
    records: str | os.PathLike,
    out: Path,
    runs: Sequence[BenchmarkRun],
    config: Config,
    observer: Observer,
    workers: int,
) -> None:
    """Trains and evaluates runs, or goes on where an earlier call stopped; those that take a translation over wait for it.

    When one fails, or this process is interrupted or terminated, the others save and end. When it is killed, they end at once,
    and go on from their newest checkpoints the next time.

    Args:
      records: a records folder.
      out: the benchmark folder.
      runs: those that are not done, in the order of the plan.
      config: the configuration of all runs; its seed is replaced by each run's.
      observer: shows the progress of each.
      workers: how many at once.

    Raises:
      RunError: a run failed.
    """
    waiting, running = list(runs), dict[BenchmarkRun, tuple[subprocess.Popen, threading.Thread]]()
    ended: queue.Queue[tuple[BenchmarkRun, str | None]] = queue.Queue()
    observer.say(f"{len(runs)} to train, up to {workers} at once, one thread each")
    try:
        with _termination_raised():
            while waiting or running:
                for item in [run for run in waiting if _is_ready(run, out)][: workers - len(running)]:
                    waiting.remove(item)
                    observer.say(f"{item.title}: begins")
                    process = _start(records, out, item, config)
                    watch = threading.Thread(target=_watch, args=(process, item, out, observer, ended))
                    running[item] = process, watch
                    watch.start()
                with contextlib.suppress(queue.Empty):
                    item, failure = ended.get(timeout=_SECONDS_BETWEEN_LOOKS)
                    del running[item]
                    if failure:
                        raise RunError(failure)
                    observer.say(f"{item.title}: done, {len(waiting) + len(running)} to go")
    finally:
        _stop(running.values())


def _is_ready(item: BenchmarkRun, out: Path) -> bool:
    """Whether the translation that a run takes over is there, or was taken over before."""
    method = get_method(item.method)
    stage = method.shareable_stage
    if item.donor is None or stage is None or (out / item.folder / stage.id).exists():
        return True
    # The donor may be of another method, with other stages after the one that is shared.
    donor = get_method(item.donor.parts[-2])
    return stage_is_over(out / item.donor, donor, stage)


def _start(records, out, item, config):
    run = {**dataclasses.asdict(item), "donor": item.donor and str(item.donor)}
    settings = config_to_dict(dataclasses.replace(config, seed=item.seed))
    request = {"records": os.fspath(records), "out": str(out), "run": run, "config": settings}
    return subprocess.Popen(
        [sys.executable, "-m", "attent_tf.benchmarking.worker", json.dumps(request)],
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _watch(process, item, out, observer, ended):
    """Shows what a process tells, and puts what became of it into `ended`: None, or the line of what failed."""
    with process, tempfile.TemporaryFile() as complaints:
        drain = threading.Thread(target=_copy, args=(process.stderr, complaints))
        drain.start()
        failure = replay(process.stdout, item.title, observer)
        code = process.wait()
        drain.join()
        if code and failure is None:
            complaints.seek(0)
            *_, last = [b"", *filter(None, map(bytes.strip, complaints))]
            failure = f"{out / item.folder}: its process {_end_of(code)}; {last.decode(errors='replace')}"
    ended.put((item, failure))


def _end_of(code):
    if code < 0:
        return f"was ended by signal {-code}; call again with fewer --workers if memory ran out"
    return f"ended with code {code}"


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    for line in source:
        target.write(line)


def replay(lines: Iterable[bytes], title: str, observer: Observer) -> str | None:
    """Shows events of a `worker.EventObserver` to another observer, stages and lines under a title.

    Args:
      lines: one event each.
      title: the title of the run.
      observer: shows them.

    Returns:
      What the run failed of, or None.
    """
    failure = None
    with contextlib.ExitStack() as stages:
        shown: list[Any] = []
        for line in lines:
            event, value = json.loads(line)
            if event == "say":
                observer.say(f"{title}: {value}")
            elif event == "stage":
                name, total, initial = value
                shown.append(stages.enter_context(observer.stage(f"{title}: {name}", total, initial)))
            elif event == "update":
                shown[-1].update(value)
            elif event == "note":
                shown[-1].set_postfix_str(value)
            elif event == "end":
                stages.close()
                shown.clear()
            elif event == "error":
                failure = value
    return failure


@contextlib.contextmanager
def _termination_raised() -> Iterator[None]:
    """Lets SIGTERM end this process by an exception, so that those that it started can be told."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(*_):
        raise SystemExit(_EXIT_TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(running):
    left = list(running)
    for process, _ in left:
        process.terminate()
    for process, watch in left:
        try:
            process.wait(_SECONDS_TO_SAVE)
        except subprocess.TimeoutExpired:
            process.kill()
        watch.join()
