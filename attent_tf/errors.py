"""Errors that are meant for the user.

Each message is one line: which file or argument, what was expected, what came, what to do. The command line prints the
message and exits with a code that is not 0; a traceback means a defect of this library.
"""

import dataclasses
import difflib
import errno
from collections.abc import Iterable

# Operating-system errors that speak of the machine and not of the case that it works on.
MACHINE_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns the end of a message about a name that is not known: the nearest known one, or nothing where none is near."""
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input, in the parts of which its line is made.

    Attributes:
      where: file, folder, case or argument.
      expected: what should have been there.
      found: what was there.
      advice: what to do about it.
    """

    where: str
    expected: str
    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, found {self.found}; {self.advice}"


class AttentError(Exception):
    """Base of every error that a user can cause and mend."""


class InputError(AttentError):
    """A scan, a label file or a data folder is not what it should be.

    Args:
      message: the whole line; or, where the other three are given, the file, folder, case or argument.
      expected, found, advice: the other parts of a `Problem`.

    Attributes:
      problem: the parts, or None where only a line was given.
    """

    def __init__(
        self, message: object, expected: str | None = None, found: str | None = None, advice: str | None = None
    ):
        self.problem = None
        if expected is not None and found is not None and advice is not None:
            self.problem = Problem(str(message), expected, found, advice)
        # All arguments go on, so that the error survives pickling between processes.
        super().__init__(message, expected, found, advice)

    def __str__(self) -> str:
        return str(self.problem or self.args[0])


class ConfigError(AttentError):
    """A configuration, a method name or an option cannot be used."""


class RecordsError(AttentError):
    """A records folder is incomplete, damaged or of another schema."""


class RunError(AttentError):
    """A run folder does not hold what the command needs."""


class ServerError(AttentError):
    """A model server cannot be reached, lacks what is asked of it, or refuses a request."""
