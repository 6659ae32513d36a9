"""How progress is shown to the user: the one interface between long work and its observer.

Long work is given an `Observer`. Public functions take one as `progress`, or any function of one line of text; by
default they show a bar on a terminal, and plain lines otherwise.
"""

import contextlib
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

_SECONDS_BETWEEN_LINES = 15.0

Say = Callable[[str], object]


class Stage(Protocol):
    """One piece of work, while it is done."""

    def update(self, count: int = 1) -> object:
        """Says that `count` more is done."""

    def set_postfix_str(self, note: str) -> None:
        """Sets the note that is shown after the numbers."""


class Observer(Protocol):
    """Shows progress."""

    def say(self, line: str) -> None:
        """Shows one line."""

    def stage(self, title: str, total: int, initial: int) -> AbstractContextManager[Stage]:
        """Returns a context manager for a stage that is told how much of `total` is done; `initial` is done already."""


Progress = Observer | Say | None
"""What public functions take: an observer, a function of one line of text, or None for bars and lines on standard output."""


class SilentObserver:
    """Shows nothing."""

    def say(self, line: str) -> None:
        """Ignores the line."""

    def stage(self, title: str, total: int, initial: int) -> AbstractContextManager[Stage]:
        """Returns a stage that shows nothing."""
        return contextlib.nullcontext(_Nothing())


class LineObserver:
    """Shows everything as lines of text, progress at a calm pace.

    Args:
      say: called with each line.
      unit: what is counted.
    """

    def __init__(self, say: Say, unit: str = "steps"):
        self._say = say
        self._unit = unit

    def say(self, line: str) -> None:
        """Shows one line."""
        self._say(line)

    def stage(self, title: str, total: int, initial: int) -> AbstractContextManager[Stage]:
        """Returns a stage that says every quarter of a minute, and at the end, how far it is."""
        return contextlib.nullcontext(_Lines(self._say, title, total, self._unit, initial))


class ConsoleObserver(LineObserver):
    """Shows progress to people: as a bar on a terminal, as plain lines otherwise.

    Args:
      unit: what is counted.
    """

    def __init__(self, unit: str = "steps"):
        super().__init__(say, unit)

    def stage(self, title: str, total: int, initial: int) -> AbstractContextManager[Stage]:
        """Returns a bar or a stage of lines."""
        if not sys.stderr.isatty():
            return super().stage(title, total, initial)
        import tqdm

        bar: AbstractContextManager[Stage] = tqdm.tqdm(
            total=total, desc=title, unit=f" {self._unit}", initial=initial, dynamic_ncols=True
        )
        return bar


class QuietObserver(SilentObserver):
    """Shows the lines that work says, but no progress.

    Args:
      say: called with each line; by default the line is printed.
    """

    def __init__(self, say: Say | None = None):
        self._say = say

    def say(self, line: str) -> None:
        """Shows one line."""
        (self._say or say)(line)


def observer_of(progress: Progress, unit: str = "steps") -> Observer:
    """Returns the observer that a caller of a public function means.

    Args:
      progress: see `Progress`.
      unit: what is counted.
    """
    if progress is None:
        return ConsoleObserver(unit)
    return LineObserver(progress, unit) if callable(progress) else progress


def say(line: str) -> None:
    """Prints one line at once, above any bar."""
    import tqdm

    tqdm.tqdm.write(line, file=sys.stdout)
    sys.stdout.flush()


class _Nothing:
    def update(self, count: int = 1) -> None:
        """Shows nothing."""

    def set_postfix_str(self, note: str) -> None:
        """Shows nothing."""


class _Lines:
    """A stage as lines of text."""

    def __init__(self, say: Say, title: str, total: int, unit: str, initial: int):
        self._say, self._title, self._total, self._unit = say, title, total, unit
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
            self._say(f"{self._title}: {self._count}/{self._total} {self._unit}, {rate:.2f}/s, {left:.0f} s left{note}")

    def set_postfix_str(self, note: str) -> None:
        self._note = note
