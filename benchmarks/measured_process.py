"""A command's seconds and its memory, for the benchmarks that run in processes of their own."""

import os
import subprocess
import threading
import time
from pathlib import Path

_WATCH_SECONDS = 0.05


def run_measured(command: list[str], **options) -> tuple[float, float]:
    """Runs a command; returns its seconds and the largest resident memory, in bytes, of any of its processes.

    Args:
      command: program and arguments.
      **options: of `subprocess.Popen`.

    Raises:
      SystemExit: the command failed.
    """
    start, peak, done = time.monotonic(), 0, threading.Event()
    process = subprocess.Popen(command, start_new_session=True, **options)

    def watch() -> None:
        nonlocal peak
        while not done.wait(_WATCH_SECONDS):
            peak = max(peak, *(_peak_bytes(pid) for pid in _group(process.pid)), 0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - start
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"{' '.join(command)}: exit code {code}")
    return seconds, peak


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
