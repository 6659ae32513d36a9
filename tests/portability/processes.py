"""Servers in processes of their own, which never outlive the test that started them."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path


@contextlib.contextmanager
def server(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen]:
    """Starts a program and ends it with all that it started when the block ends.

    Args:
      command: the program and its arguments.
      log: file for what it says.
      environment: of the program; this one's by default.
    """
    # If this process is killed, nothing below runs any more; Linux ends the program then, where setpriv is there to ask.
    dying = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*dying, *command], stdout=file, stderr=file, start_new_session=True, env=environment
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """Ends a process and its group at once, without a word to it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_ports(count: int) -> list[int]:
    """Returns ports of the loopback that nothing listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]


def wait_until(reached: Callable[[], bool], seconds: float, what: str, alive: Sequence[subprocess.Popen] = ()) -> None:
    """Waits for something, but not for ever, and not if one of the processes that it needs has ended."""
    end = time.monotonic() + seconds
    while not reached():
        for process in alive:
            if process.poll() is not None:
                raise RuntimeError(f"{what}: process {process.args} ended with {process.returncode}")
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether something takes connections on a port of the loopback."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
