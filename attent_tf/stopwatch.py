"""Where the time of a job goes, phase by phase."""

import contextlib
import time
from collections.abc import Iterator


class Stopwatch:
    """Sums the seconds of named phases.

    Phases may run at the same time in threads of their own; then their sum exceeds the time that passes on the wall.

    Attributes:
      seconds: by phase, in the order in which phases first began.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds the time of the block to the phase `name`."""
        self.seconds.setdefault(name, 0.0)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start
