"""Where this user can write: the working folder, temporary files, and the caches below the home folder."""

import os
import shutil
import tempfile
from pathlib import Path

from .finding import GIB, Finding

LEAST_DISK_GIB = 5.0


def disk_finding(
    folder: str | os.PathLike = ".", free_bytes: int | None = None, writable: bool | None = None
) -> Finding:
    """Returns the room that is left where `folder` lies, and whether this user may take it.

    Args:
      folder: an existing folder.
      free_bytes: room to judge; asked of the file system by default.
      writable: whether the folder can be written to; tried by default.
    """
    writable = os.access(folder, os.W_OK) if writable is None else writable
    free_gib = (shutil.disk_usage(folder).free if free_bytes is None else free_bytes) / GIB
    found = f"{free_gib:.1f} GiB free in {Path(folder).resolve()}"
    if not writable:
        advice = 'write elsewhere with --out, or give the folder to this user (docker run --user "$(id -u):$(id -g)")'
        return Finding("Machine", "disk", f"{found}, which user {os.getuid()} cannot write", advice)
    short = free_gib < LEAST_DISK_GIB
    advice = f"records and runs need {LEAST_DISK_GIB:.0f} GiB; make room or write elsewhere with --out" if short else ""
    return Finding("Machine", "disk", found, advice)


def temporary_finding() -> Finding:
    """Returns where temporary files go; without such a place neither Beam nor TensorFlow works."""
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:
        advice = "set TMPDIR to a folder that this user may write, or mount one (docker run --tmpfs /tmp)"
        return Finding("Machine", "temporary files", "no folder for them can be written", advice, required=True)
    return Finding("Machine", "temporary files", f"{shutil.disk_usage(folder).free / GIB:.1f} GiB free in {folder}")


def home_finding(home: str | os.PathLike | None = None) -> Finding:
    """Returns whether the caches of Keras, Matplotlib and CUDA, which lie below the home folder, can be kept.

    Args:
      home: the home folder; the user's own by default.
    """
    try:
        home = Path.home() if home is None else Path(home)
    except RuntimeError:
        home = Path(os.devnull)
    if os.access(home, os.W_OK | os.X_OK):
        return Finding("Machine", "home", str(home))
    advice = "caches are rebuilt at each start; set HOME to a folder that this user may write to keep them"
    return Finding("Machine", "home", f"{home}, which user {os.getuid()} cannot write", advice)
