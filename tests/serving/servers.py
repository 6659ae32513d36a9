"""Servers for tests, each a script in a process of its own."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def serving(script: str, *words: object) -> Iterator[int]:
    """Runs a script of this folder until the block ends, and yields the port that it says it serves on.

    Args:
      script: name of the file; it prints `ready PORT` and ends when its input does.
      words: its arguments.
    """
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name(script)), *map(str, words)]
    # A file and no pipe: nobody reads while tests run, and the server must not wait for that.
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            line = process.stdout.readline()
            assert line.startswith("ready"), said.seek(0) or said.read()
            yield int(line.split()[1])
        finally:
            # The end of its input ends the server.
            process.communicate(timeout=300)
