"""One line of the report of `attent doctor`, and how the machine is asked."""

import dataclasses
import subprocess
from pathlib import Path

GIB = 1024.0**3

_PROGRAM_TIMEOUT_S = 30


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
      group: the heading under which it stands.
      name: what was looked at.
      found: what was found.
      advice: what to do about it; empty if nothing has to be done.
      required: whether the library cannot work as asked while there is advice.
    """

    group: str
    name: str
    found: str
    advice: str = ""
    required: bool = False

    @property
    def state(self) -> str:
        """`ok`, `note` (something optional is missing) or `wrong` (something required is)."""
        if not self.advice:
            return "ok"
        return "wrong" if self.required else "note"


def read(*paths: str) -> str:
    """Returns the content of the first of these files that can be read, or an empty text."""
    for path in paths:
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return ""


def output(command: list[str]) -> list[str]:
    """Returns the lines that a program printed on either stream, none where it is missing or fails."""
    try:
        ended = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PROGRAM_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return ended.stdout.strip().splitlines() if ended.returncode == 0 else []
