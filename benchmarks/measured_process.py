"""A command's seconds and its memory, for the benchmarks that run in processes of their own."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_WATCH_SECONDS = 0.05


def project_environment() -> dict[str, str]:
    """Returns this process's environment, in which `python -m cli.main` is that of this checkout."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


def run_measured(command: list[str], **options) -> tuple[float, float]:
    """Runs a command; returns its seconds and the largest resident memory, in bytes, of any of its processes.

    Args:
      command: program and arguments.
      **options: of `subprocess.Popen`.

    Raises:
      SystemExit: the command failed.
    """
    start = time.monotonic()
    process = subprocess.Popen(command, start_new_session=True, **options)
    with peak_of_group(process.pid) as peak:
        code = process.wait()
        seconds = time.monotonic() - start
    if code:
        raise SystemExit(f"{' '.join(command)}: exit code {code}")
    return seconds, peak()


@contextlib.contextmanager
def peak_of_group(leader: int) -> Iterator[Callable[[], int]]:
    """Yields what tells the largest resident memory, in bytes, that any process of a group has had while the block ran."""
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(_WATCH_SECONDS):
            peak = max(peak, *(_peak_bytes(pid) for pid in _group(leader)), 0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: peak
    finally:
        done.set()
        watcher.join()


def _group(leader: int) -> list[int]:
    found = [leader]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getpgid(int(entry)) == leader:
                    found.append(int(entry))
            except ProcessLookupError:
                continue
    return found


def _peak_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
