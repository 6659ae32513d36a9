"""Progress for people: a bar on a terminal, plain lines otherwise."""

import contextlib
import sys
import time
from collections.abc import Iterator

import click
import tqdm

from attent_tf.progress import SilentObserver

_SECONDS_BETWEEN_LINES = 15.0


def say(text: str) -> None:
    """Prints one line at once, above any bar."""
    tqdm.tqdm.write(text, file=sys.stdout)
    sys.stdout.flush()


class _Lines:
    """The part of tqdm's interface that callers use, as plain lines at a calm pace."""

    def __init__(self, title: str, total: int, unit: str, initial: int):
        self._title, self._total, self._unit = title, total, unit
        self._start_count = self._count = initial
        self._start = self._last = time.monotonic()
        self._note = ""

    def update(self, count: int = 1) -> None:
        self._count += count
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES or self._count >= self._total:
            self._last = now
            rate = (self._count - self._start_count) / max(now - self._start, 1e-9)
            left = (self._total - self._count) / rate if rate > 0 else float("inf")
            note = f"  {self._note}" if self._note else ""
            say(f"{self._title}: {self._count}/{self._total} {self._unit}, {rate:.2f}/s, {left:.0f} s left{note}")

    def set_postfix_str(self, note: str, refresh: bool = True) -> None:
        del refresh
        self._note = note


@contextlib.contextmanager
def progress(title: str, total: int, unit: str = "steps", initial: int = 0) -> Iterator:
    """Yields an object with `update(count)` and `set_postfix_str(note)`."""
    if sys.stderr.isatty():
        with tqdm.tqdm(total=total, desc=title, unit=f" {unit}", initial=initial, dynamic_ncols=True) as bar:
            yield bar
    else:
        yield _Lines(title, total, unit, initial)


def heading(text: str) -> None:
    """Prints a line that sets off a stage of a longer command."""
    say(click.style(f"== {text}", bold=True) if sys.stdout.isatty() else f"== {text}")


class QuietObserver(SilentObserver):
    """Shows what a run has to say and no progress."""

    def say(self, line: str) -> None:
        say(line)


class ConsoleObserver:
    """Shows the progress of training and inference (see `attent_tf.progress.Observer`).

    Args:
      unit: what is counted.
    """

    def __init__(self, unit: str = "steps"):
        self._unit = unit

    def say(self, line: str) -> None:
        say(line)

    def stage(self, title: str, total: int, initial: int):
        return progress(title, total, self._unit, initial)
