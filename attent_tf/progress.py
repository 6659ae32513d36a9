"""What shows progress to the user: the one interface between long work and whoever looks on."""

import contextlib
from typing import Any, Protocol


class Observer(Protocol):
    """Shows progress."""

    def say(self, line: str) -> None:
        """Shows one line."""

    def stage(self, title: str, total: int, initial: int) -> Any:
        """Returns a context manager of an object with `update(count)` and `set_postfix_str(note)`."""


class SilentObserver:
    """Shows nothing."""

    def say(self, line: str) -> None:
        """Leaves the line unsaid."""

    def stage(self, title: str, total: int, initial: int) -> Any:
        """Returns a stage that shows nothing."""
        return contextlib.nullcontext(_Nothing())


class _Nothing:
    def update(self, count: int = 1) -> None:
        """Shows nothing."""

    def set_postfix_str(self, note: str) -> None:
        """Shows nothing."""
