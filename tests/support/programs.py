"""Programs in processes of their own that find TensorFlow imported, which costs each 5 seconds of a core otherwise.

They are forked from a process that has imported it and never computes, so each still chooses its devices and its threads.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing import connection
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tensorflow", "attent_tf.training.train", "beam_preprocess.cohort"])


class Program:
    """A program that was started, to be used as a `subprocess.Popen` whose output is one text.

    Args:
      module: what `python -m` would run.
      words: its command line.
      environment: all of it; this process's by default.
      own_session: whether it leads a session, so that a signal can reach all that it starts.
    """

    def __init__(
        self, module: str, *words: object, environment: Mapping[str, str] | None = None, own_session: bool = False
    ):
        self._reader, writer = _CONTEXT.Pipe(duplex=False)
        told = (
            module,
            [str(word) for word in words],
            dict(os.environ if environment is None else environment),
            own_session,
            writer,
        )
        self._process = _CONTEXT.Process(target=_run, args=told)
        self._process.start()
        writer.close()
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the number of the signal that ended it, or None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Returns `returncode`."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Returns the exit code once it has ended.

        Raises:
          TimeoutError: it runs after so many seconds.
        """
        self._process.join(timeout)
        if self.returncode is None:
            raise TimeoutError(f"process {self.pid} runs after {timeout:g} s")
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, None]:
        """Returns what it wrote to standard output and error, once it and all that it started have closed them.

        Raises:
          TimeoutError: they have not after so many seconds.
        """
        end, parts = time.monotonic() + timeout, []
        while connection.wait([self._reader], max(0.0, end - time.monotonic())):
            part = os.read(self._reader.fileno(), 2**16)
            if not part:
                self.wait(max(0.0, end - time.monotonic()))
                return b"".join(parts).decode(), None
            parts.append(part)
        raise TimeoutError(f"process {self.pid} has not closed its output after {timeout:g} s")


def run_program(module: str, *words: object, timeout: float = 1200) -> str:
    """Returns what a program said.

    Raises:
      AssertionError: its exit code is not 0.
    """
    program = Program(module, *words)
    output, _ = program.communicate(timeout)
    assert program.returncode == 0, output[-2000:]
    return output


def _run(module, words, environment, own_session, writer):
    """Becomes the program, in a process that was forked for it."""
    if own_session:
        os.setsid()
    for number, name, buffering in ((1, "stdout", -1), (2, "stderr", 1)):
        os.dup2(writer.fileno(), number)
        # The streams that were inherited take what they write to for what it was.
        setattr(sys, name, os.fdopen(number, "w", buffering, encoding="utf-8", closefd=False))
    writer.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(_ROOT)
    sys.argv[1:] = words
    runpy.run_module(module, run_name="__main__", alter_sys=True)
