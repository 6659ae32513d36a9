"""Servers of `faulty_server.py` for tests: started, killed and started again on one port."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}


class FaultyServer:
    """One server after the other on one port.

    Args:
      port: which the caller holds.
      settings: of `faulty_server.py`.
    """

    def __init__(self, port: int, settings: dict):
        scheme = "http" if settings["kind"] == "rest" else "grpc"
        self.address = f"{scheme}{'s' if 'certificate' in settings else ''}://127.0.0.1:{port}"
        self._settings, self._process = settings | {"port": port}, None

    def start(self) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "tests.serving.faulty_server", json.dumps(self._settings)]
        # A file and no pipe, which nobody would empty.
        with tempfile.TemporaryFile("w+") as said:
            self._process = subprocess.Popen(
                command, env=os.environ | ENVIRONMENT, stdout=subprocess.PIPE, stderr=said, text=True
            )
            assert self._process.stdout.readline() == "ready\n", said.seek(0) or said.read()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def peak_mb(self) -> float:
        """Returns the most memory that the server has held, in MB."""
        return peak_mb(self._process.pid)


def peak_mb(process: int) -> float:
    """Returns the most memory that a process has held since it was started, in MB; 0 where it has ended."""
    # What the system tells when a process ends counts what its parent held when it was forked.
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextlib.contextmanager
def faulty(kind: str, **settings) -> Iterator[FaultyServer]:
    """Yields a running server; see `faulty_server.py` for what it can be told."""
    with socket.socket() as held:
        # The port stays this server's while no server is there: bound, but nobody listens.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        server = FaultyServer(held.getsockname()[1], {"kind": kind, **settings})
        server.start()
        try:
            yield server
        finally:
            server.kill()
