"""Folders told apart by the bytes of their files."""

import hashlib
from pathlib import Path


def file_digests(folder: Path) -> dict[str, str]:
    """Returns the SHA-256 of each file below a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
