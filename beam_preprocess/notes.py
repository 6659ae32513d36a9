"""Small files by which workers tell the main program what they did or why they stopped.

Every runner wraps and moves exceptions and results in its own way, often as text with a traceback in it. A file in
the folder that main program and workers share anyway reaches the user unchanged, whichever runner it is. Each note is
complete or absent, and a worker that does its work twice leaves the same note.
"""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attent_tf import errors
from attent_tf.files import write_json

_REFUSAL, CASE, SHARD = "refusal", "case", "shard"
_SECONDS_BETWEEN_LOOKS = 0.25


def leave(folder: str | os.PathLike, kind: str, name: str, content: Any) -> None:
    """Writes the note `name` of a kind (`CASE` or `SHARD`) as JSON."""
    # Names come from users' files and need not be fit for a file name.
    stem = hashlib.sha256(name.encode()).hexdigest()[:32]
    write_json(Path(folder) / f"{kind}-{stem}.json", content)


def collect(folder: str | os.PathLike, kind: str) -> list[Any]:
    """Returns the contents of all notes of a kind, in an order that only their names decide."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob(f"{kind}-*.json"))]


@contextlib.contextmanager
def refusals_noted(folder: str | os.PathLike, name: str) -> Iterator[None]:
    """Leaves a note of an error that is meant for the user before it goes on to the runner.

    Args:
      folder: where notes lie.
      name: what the block works on; an operating-system error is reported with it.
    """
    try:
        yield
    except errors.AttentError as error:
        leave(folder, _REFUSAL, name, {"kind": type(error).__name__, "message": str(error)})
        raise
    except OSError as error:
        message = f"{error.filename or name}: {error.strerror or error}, while working on {name}; mend it and run again"
        with contextlib.suppress(OSError):
            leave(folder, _REFUSAL, name, {"kind": "InputError", "message": message})
        raise


def first_refusal(folder: str | os.PathLike) -> errors.AttentError | None:
    """Returns the error that a worker met, as it was raised there, or None."""
    for note in collect(folder, _REFUSAL):
        kind = getattr(errors, note["kind"], errors.AttentError)
        return kind(note["message"])
    return None


@contextlib.contextmanager
def watched(folder: str | os.PathLike, kind: str, tell: Callable[[Any], None]) -> Iterator[None]:
    """Calls `tell`, from another thread, with the content of each note that appears while the block runs.

    Args:
      folder: where notes lie.
      kind: `CASE` or `SHARD`.
      tell: gets a note's content, each note once; when the block ends without an error it has got all of them.
    """
    stopped = threading.Event()
    told: set[str] = set()

    def look() -> None:
        for path in sorted(Path(folder).glob(f"{kind}-*.json")):
            if path.name not in told:
                told.add(path.name)
                tell(json.loads(path.read_text(encoding="utf-8")))

    def watch() -> None:
        while not stopped.wait(_SECONDS_BETWEEN_LOOKS):
            look()

    watcher = threading.Thread(target=watch, name="attent-notes", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stopped.set()
        watcher.join()
    look()
