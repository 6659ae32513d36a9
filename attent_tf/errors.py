"""Errors that are meant for the user.

Each message is one line: which file or argument, what was expected, what was found, what to do. The command line prints the
message and exits with a code that is not 0; a traceback means a defect of this library.
"""

import contextlib
import dataclasses
import difflib
import errno
import os
from collections.abc import Iterable, Iterator

# Operating-system errors that speak of the machine and not of the case that it works on.
MACHINE_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Returns the end of a message about an unknown name: the nearest known name, or nothing if none is near.

    Args:
      name: the name that was given.
      known: the known names.
      prefix: text before the nearest name.
    """
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {prefix + near[0]!r}?" if near else ""


def printable(text: str) -> str:
    """Returns text that any file or terminal takes: bytes of file names that are not UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input, in the parts that make up its line.

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
        return printable(f"{self.where}: expected {self.expected}, found {self.found}; {self.advice}")


class AttentError(Exception):
    """Base of every error that a user can cause and correct."""


class InputError(AttentError):
    """A scan, a label file or a data folder is not what it should be.

    Args:
      message: the whole line; or, if the other three are given, the file, folder, case or argument.
      expected, found, advice: the other parts of a `Problem`.

    Attributes:
      problem: the parts, or None if only a line was given.
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
        return printable(str(self.problem or self.args[0]))


class ConfigError(AttentError):
    """A configuration, a method name or an option cannot be used."""


class RecordsError(AttentError):
    """A records folder is incomplete, damaged or of another schema."""


class RunError(AttentError):
    """A run folder does not hold what the command needs."""


class ServerError(AttentError):
    """A model server cannot be reached, lacks what is asked of it, or refuses a request."""


@contextlib.contextmanager
def faults_of_scan(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns an error of the system while one scan is read, processed or written into an `InputError`; other scans can go
    on.

    Args:
      path: the scan, which the line names first.

    Raises:
      InputError: the scan or a result of it cannot be opened, read or written, or does not fit into the memory.
      OSError: the machine is at fault (`MACHINE_FAULTS`): the next scan would fare no better.
    """
    try:
        yield
    except OSError as error:
        if error.errno in MACHINE_FAULTS:
            raise
        place = "" if error.filename in (None, path, str(path)) else f" ({error.filename})"
        if isinstance(error, FileNotFoundError):
            advice = "check the path, and that nothing moves it meanwhile"
            raise InputError(path, "a NIfTI file or a folder of DICOM slices", f"nothing{place}", advice) from error
        found = (error.strerror or str(error) or type(error).__name__).lower()
        raise InputError(
            path,
            "a scan that can be read and results that can be written",
            f"{found}{place}",
            "see who may read and write there, how large files and long names may be, and whether the disk is sound",
        ) from error
    except MemoryError as error:
        raise InputError(
            path, "a scan that fits into the memory", "one that does not", "crop it, or use a larger machine"
        ) from error
