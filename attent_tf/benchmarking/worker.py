"""The process of one run of a benchmark, which tells the one that started it how far it is: a line of JSON an event.

python -m attent_tf.benchmarking.worker '{"records": …, "out": …, "run": {…}, "config": {…}}'
"""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from attent_tf.benchmarking.plan import BenchmarkRun
from attent_tf.configs import config_from_dict
from attent_tf.errors import AttentError
from attent_tf.runtime import choose_kernels, start_quietly


class EventObserver:
    """Writes progress as events: `say`, `stage`, `update`, `note` and `end`, which `processes.replay` reads.

    Args:
      stream: takes one line an event.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream

    def tell(self, event: str, value: object = None) -> None:
        """Writes one event."""
        print(json.dumps([event, value]), file=self._stream, flush=True)

    def say(self, line: str) -> None:
        self.tell("say", line)

    @contextlib.contextmanager
    def stage(self, title: str, total: int, initial: int) -> Iterator["_Stage"]:
        self.tell("stage", [title, total, initial])
        yield _Stage(self)
        self.tell("end")


class _Stage:
    def __init__(self, observer):
        self._observer = observer

    def update(self, count: int = 1) -> None:
        self._observer.tell("update", count)

    def set_postfix_str(self, note: str) -> None:
        self._observer.tell("note", note)


def main() -> None:
    """Trains and scores the run that the argument describes; exits with 1 where a user has to correct something."""
    request = json.loads(sys.argv[1])
    # What libraries print is no event.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Of a terminal it reaches all; whoever started this one decides.
    threading.Thread(target=_end_with_starter, daemon=True).start()
    observer = EventObserver(events)
    choose_kernels()
    start_quietly()
    from attent_tf.benchmarking.single import train_and_evaluate

    run = request["run"]
    item = BenchmarkRun(**{**run, "donor": run["donor"] and Path(run["donor"])})
    try:
        config = config_from_dict(request["config"])
        train_and_evaluate(request["records"], Path(request["out"]), item, config, observer)
    except AttentError as error:
        observer.tell("error", str(error))
        sys.exit(1)


def _end_with_starter():
    """Ends at once when the process that started this one does, whose end of the pipe nobody else holds."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
