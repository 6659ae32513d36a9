"""Folders that take long to make and that many tests read: each is made once in a session, whichever worker asks first."""

import fcntl
import json
import shutil
from collections.abc import Callable
from pathlib import Path


class MadeOnce:
    """Makes folders below a place that the workers of a session share. Tests read them; one that changes one copies it."""

    def __init__(self, place: Path):
        self._place = place
        self._used: set[str] = set()

    def folder(self, name: str, make: Callable[[Path], object]) -> Path:
        """Returns the folder `name`, which `make` fills if nobody has done so yet; other workers wait for it."""
        folder, made = self._place / name, self._made(name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with made.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                # What an attempt that failed has left.
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                made.write_text(json.dumps(_listing(folder)), encoding="utf-8")
        self._used.add(name)
        return folder

    def changed(self) -> list[str]:
        """Names of the folders in which a test has left, changed or removed something."""
        return [
            name
            for name in sorted(self._used)
            if _listing(self._place / name) != json.loads(self._made(name).read_text(encoding="utf-8"))
        ]

    def _made(self, name):
        return self._place / f"{name}.made.json"


def _listing(folder):
    """[path, bytes, time of the last change] of each file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [[str(path.relative_to(folder)), (stat := path.stat()).st_size, stat.st_mtime_ns] for path in files]
