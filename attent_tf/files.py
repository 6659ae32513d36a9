"""Writes that are either complete or absent: everything is written aside and renamed into place."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attent_tf.errors import InputError

_LOCK = ".lock"

# Bytes of a target's name that stand in the name of what lies aside: with all of them, a long name would not fit any more.
_KEPT_BYTES = 100


@contextlib.contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path beside `path` that replaces it when the block ends without an error.

    The temporary name keeps the suffixes of `path`, because some writers choose their format by them.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".aside-", suffix="-" + _end_of(path.name), dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        _give_default_mode(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_aside(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Yields an empty folder beside `path` that becomes `path` when the block ends without an error.

    While the block runs, and until `path` is whole, a lock is held on a file beside it. What a killed program left is told
    by its free lock, and the next one that writes the same folder removes it.

    Args:
      path: the folder to make.
      overwrite: whether an existing, non-empty folder may be replaced; it stays until the new one is whole.

    Raises:
      InputError: `path` exists, is not an empty folder, and `overwrite` is not set.
    """
    path = _followed(path)
    _check_vacant(path, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(path)
    _check_vacant(path, overwrite)
    handle, lock = _locked_file(path)
    aside, old = lock.with_suffix(".new"), lock.with_suffix(".old")
    try:
        aside.mkdir()
        yield aside
        # Another process may have been faster.
        _check_vacant(path, overwrite)
        if path.is_dir():
            os.replace(path, old)
        os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        _bring_back(old, path)
        lock.unlink(missing_ok=True)
        os.close(handle)


def remove_abandoned(path: str | os.PathLike[str]) -> None:
    """Removes what a killed `folder_written_aside` left beside `path`; what it had replaced already comes back."""
    path = _followed(path)
    # The random part holds no dash, so that what lies aside for `records-b` is never taken for that of `records`.
    mine = re.compile(rf"\.aside-{re.escape(_key(path.name))}-[^-]+{re.escape(_LOCK)}")
    beside = list(path.parent.iterdir()) if path.parent.is_dir() else []
    for lock in (entry for entry in beside if mine.fullmatch(entry.name)):
        # Some network file systems lock only what is open for writing.
        with contextlib.suppress(OSError), lock.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.with_suffix(".new"), ignore_errors=True)
            _bring_back(lock.with_suffix(".old"), path)
            lock.unlink()


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes `content` to `path`, completely or not at all."""
    with written_aside(path) as aside:
        aside.write_bytes(content)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes `text` to `path` as UTF-8, completely or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Writes `content` as strict, indented JSON with stable bytes (no NaN or Infinity literals)."""
    write_bytes(path, json_bytes(content))


def json_bytes(content: Any) -> bytes:
    """Returns strict, indented JSON with stable bytes (no NaN or Infinity literals)."""
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode("utf-8")


def json_parts(content: Mapping[str, Any], canonical: bool = False) -> Iterator[bytes]:
    """Yields an object in parts, so that long lists of it need never be in memory as a whole.

    Args:
      content: for JSON, by key; an iterator stands for the list of what it yields.
      canonical: whether keys are sorted at each level and nothing is written but what has to be, as digests want it; otherwise
        the parts are those of `json_bytes`.
    """

    def text(value: Any, level: int) -> str:
        if canonical:
            return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
        # No text in JSON holds a line break of its own.
        return json.dumps(value, indent=2, allow_nan=False).replace("\n", f"\n{'  ' * level}")

    def line(level: int) -> str:
        return "" if canonical else f"\n{'  ' * level}"

    def entries(values: Iterator[Any]) -> Iterator[str]:
        opened = "["
        for value in values:
            yield f"{opened}{line(2)}{text(value, 2)}"
            opened = ","
        yield "[]" if opened == "[" else f"{line(1)}]"

    opened = "{"
    for key, value in sorted(content.items()) if canonical else content.items():
        yield f"{opened}{line(1)}{json.dumps(key)}:{'' if canonical else ' '}".encode()
        for part in entries(value) if isinstance(value, Iterator) else [text(value, 1)]:
            yield part.encode()
        opened = ","
    yield b"{}" if opened == "{" else f"{line(0)}}}".encode()
    if not canonical:
        yield b"\n"


def _end_of(name: str) -> str:
    """The end of a file's name, with its suffixes."""
    # Half a letter at the cut would be no text.
    return os.fsencode(name)[-_KEPT_BYTES:].decode(errors="ignore")


def _key(name: str) -> str:
    """A folder's name where it is short, and otherwise something short that only this name has."""
    whole = os.fsencode(name)
    return name if len(whole) <= _KEPT_BYTES else hashlib.sha256(whole).hexdigest()


def _check_vacant(path: Path, overwrite: bool) -> None:
    occupied = path.exists() and (not path.is_dir() or any(path.iterdir()))
    if occupied and not overwrite:
        raise InputError(
            f"{path}: expected a folder that does not exist yet or is empty; choose another --out or remove it"
        )


def _followed(path: str | os.PathLike[str]) -> Path:
    """Returns where a link leads, so that the folder behind it is replaced and not the link."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else Path(path)


def _locked_file(path: Path) -> tuple[int, Path]:
    """Makes the file beside `path` whose lock says that its owner lives; returns its open handle and its path."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".aside-{_key(path.name)}-", suffix=_LOCK, dir=path.parent)
        # Some mounts know no locks. There nothing is ever taken for abandoned, because no lock can be taken.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        # Before the lock was held, another job may have found it free and removed the file.
        if os.path.exists(name):
            return handle, Path(name)
        os.close(handle)


def _bring_back(old: Path, path: Path) -> None:
    """Puts the replaced folder back where nothing took its place, and removes it otherwise."""
    if old.is_dir() and not path.exists():
        os.replace(old, path)
    shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _give_default_mode(path: Path) -> None:
    # mkstemp makes files that only their owner can read.
    path.chmod(0o666 & ~_umask())
