"""What shows progress to the user: the one interface between long work and whoever looks on."""

from typing import Any, Protocol


class Observer(Protocol):
    """Shows progress."""

    def say(self, line: str) -> None:
        """Shows one line."""

    def stage(self, title: str, total: int, initial: int) -> Any:
        """Returns a context manager of an object with `update(count)` and `set_postfix_str(note)`."""
