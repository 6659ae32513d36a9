"""Small files by which workers tell the main program what they did or why they stopped.

Every runner wraps and moves exceptions and results in its own way, often as text with a traceback in it. A file in
the folder that main program and workers share anyway reaches the user unchanged, whichever runner it is. Each note is
complete or absent, and a worker that does its work twice leaves the same note.
"""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NotRequired, TypedDict

from attent_tf import errors
from attent_tf.shared_folders import RemoteFolder, SharedFolder
from attent_tf.storage import answers
from attent_tf.volumes.anatomy import EXPECTED

CASE, SHARD, MEASURE, REJECTED, REFUSAL = "case", "shard", "measure", "rejected", "refusal"
# Listing a folder of an object store takes a request, which is slow and is paid for.
_SECONDS_BETWEEN_LOOKS, _SECONDS_BETWEEN_REMOTE_LOOKS = 0.25, 5.0
_PAUSES_PER_LOOK = 20


class ErrorParts(TypedDict):
    """The parts of an error that is meant for the user.

    Attributes:
      kind: name of its class in `attent_tf.errors`.
      message: its line.
      where, expected, found, advice: of its `Problem`, where it has one.
    """

    kind: str
    message: str
    where: NotRequired[str]
    expected: NotRequired[str]
    found: NotRequired[str]
    advice: NotRequired[str]


class Refusal(ErrorParts):
    """An error that ended the work on something; `final` where another try would meet it again."""

    final: bool


def leave(folder: SharedFolder, kind: str, name: str, content: Any) -> None:
    """Writes the note `name` of a kind (`CASE`, `SHARD`, `MEASURE` or `REJECTED`) as JSON."""
    with folder.created(_file_name(kind, name)) as file:
        file.write((json.dumps(content, allow_nan=False) + "\n").encode())


def find(folder: SharedFolder, kind: str, name: str) -> Any | None:
    """Returns the content of one note, or None where it was not left."""
    file_name = _file_name(kind, name)
    return _read(folder, file_name) if folder.exists(file_name) else None


def collect(folder: SharedFolder, kind: str) -> list[Any]:
    """Returns the contents of all notes of a kind, in an order that only their names decide."""
    return list(_read_all(folder, folder.names(f"{kind}-")))


def error_parts(error: Exception, name: str) -> ErrorParts | None:
    """Returns the parts of an error that is meant for the user, for JSON; None for a defect of the library.

    Args:
      error: what was raised.
      name: what was worked on; an operating-system error is reported with it.
    """
    if isinstance(error, errors.AttentError):
        return parts_of(error)
    if isinstance(error, OSError):
        where = error.filename or name
        message = f"{where}: {error.strerror or error}, while working on {name}; correct it and run again"
        return {"kind": "InputError", "message": message}
    return None


def parts_of(error: errors.AttentError) -> ErrorParts:
    """Returns the parts of an error of this library, for JSON."""
    parts: ErrorParts = {"kind": type(error).__name__, "message": str(error)}
    problem: errors.Problem | None = getattr(error, "problem", None)
    if problem is None:
        return parts
    return {
        **parts,
        "where": problem.where,
        "expected": problem.expected,
        "found": problem.found,
        "advice": problem.advice,
    }


def reason_of(parts: ErrorParts) -> str:
    """Returns the check that a case failed, `anatomy` or `content`, by the parts of its error."""
    return "anatomy" if parts.get("expected") == EXPECTED else "content"


def is_fault_of_case(error: Exception) -> bool:
    """Whether an error speaks of the case that was worked on, not of a defect or of the machine (a full disk)."""
    return isinstance(error, errors.AttentError) or (
        isinstance(error, OSError) and error.errno not in errors.MACHINE_FAULTS
    )


@contextlib.contextmanager
def refusals_noted(folder: SharedFolder, name: str) -> Iterator[None]:
    """Leaves a note of an error that is meant for the user before it goes on to the runner.

    Args:
      folder: where notes lie.
      name: what the block works on.
    """
    try:
        yield
    except Exception as error:
        parts = error_parts(error, name)
        if parts is not None:
            with contextlib.suppress(OSError):
                # A file system that is away for a moment is worth another try, a scan that is cut short is not.
                refusal: Refusal = {**parts, "final": isinstance(error, errors.AttentError)}
                leave(folder, REFUSAL, name, refusal)
        raise


def first_refusal(folder: SharedFolder) -> errors.AttentError | None:
    """Returns the error that a worker met, as it was raised there, or None."""
    for note in collect(folder, REFUSAL):
        return error_of(note)
    return None


def error_of(parts: ErrorParts) -> errors.AttentError:
    """Returns the error of which `error_parts` gave the parts."""
    if "expected" in parts:
        return errors.InputError(parts["where"], parts["expected"], parts["found"], parts["advice"])
    return getattr(errors, parts["kind"], errors.AttentError)(parts["message"])


@contextlib.contextmanager
def watched(folder: SharedFolder, tell: dict[str, Callable[[Any], None]]) -> Iterator[None]:
    """Calls functions, from another thread, with the content of each note that appears while the block runs.

    A folder that cannot be read for a moment is looked at again; when the block ends, it has to be read.

    Args:
      folder: where notes lie.
      tell: kind of note to what gets its content, each note once; when the block ends without an error it got all.
    """
    stopped = threading.Event()
    told: set[str] = set()

    def look() -> None:
        for kind, listener in tell.items():
            unheard = [name for name in folder.names(f"{kind}-") if name not in told]
            for name, content in zip(unheard, _read_all(folder, unheard), strict=True):
                told.add(name)
                listener(content)

    def watch() -> None:
        pause = least = _SECONDS_BETWEEN_REMOTE_LOOKS if isinstance(folder, RemoteFolder) else _SECONDS_BETWEEN_LOOKS
        while not stopped.wait(pause):
            began = time.monotonic()
            with contextlib.suppress(OSError):
                look()
            # The more notes, the longer a listing takes; looking shall not become what this machine does.
            pause = max(least, _PAUSES_PER_LOOK * (time.monotonic() - began))

    watcher = threading.Thread(target=watch, name="attent-notes", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stopped.set()
        watcher.join()
    look()


def _file_name(kind: str, name: str) -> str:
    # Names come from users' files and need not be fit for a file name.
    return f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def _read_all(folder: SharedFolder, names: list[str]) -> Iterator[Any]:
    """Yields the contents of notes, in the order of their names."""
    return answers(lambda name: _read(folder, name), names, isinstance(folder, RemoteFolder))


def _read(folder: SharedFolder, name: str) -> Any:
    with folder.opened(name) as file:
        return json.loads(file.read().decode())
