"""What a case may be called: one rule for data sets, lists, records, evaluations and folders of label maps.

Names come from files and folders, and files are named after them in turn, on this machine or on another one. They may hold what
people write: spaces, brackets, letters of any script. Unicode spells many letters in two ways, and macOS stores another one than
keyboards give: names are compared and written in one spelling (NFC), while a file is opened under the path that it has.
"""

import contextlib
import os
import re
import unicodedata
from pathlib import Path

from attent_tf.errors import Problem, printable

# Bytes that a file's name may have on the file systems of Linux; those of others allow as many letters at least.
LONGEST_FILE_NAME = 255

# The longest suffix that every case's files may get: of the label maps that are written for it.
_SUFFIX = ".nii.gz"

_FORBIDDEN = frozenset('/\\:*?"<>|')
# Controls, separators of lines and paragraphs, and halves of letters. Other separators are kinds of spaces.
_FORBIDDEN_CATEGORIES = ("Cc", "Zl", "Zp", "Cs")
# Windows opens a device under these names, whatever suffix follows.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def normal_name(name: str) -> str:
    """Returns a name, or a path, in the spelling in which it is compared and written; bytes that are no text become escapes."""
    return name if name.isascii() else unicodedata.normalize("NFC", printable(name))


def clash_key(name: str) -> str:
    """Returns what two names have in common where some file systems cannot tell their files apart (`A` and `a`)."""
    return unicodedata.normalize("NFC", normal_name(name).casefold())


def name_problem(where: object, name: str, advice: str = "rename the file or folder") -> Problem | None:
    """Returns what keeps a name from being that of a case, or None.

    Args:
      where: file, folder or line that it comes from.
      name: the name, from `normal_name`.
      advice: what to do about it.
    """
    most, size = LONGEST_FILE_NAME - len(_SUFFIX), len(name.encode("utf-8", "surrogatepass"))
    expected, found = None, repr(name)
    if any(letter in _FORBIDDEN or unicodedata.category(letter) in _FORBIDDEN_CATEGORIES for letter in name):
        expected = f"a name without {' '.join(sorted(_FORBIDDEN))} and control characters"
    elif not name or name.startswith(".") or name.endswith((".", " ")):
        expected = "a name with no dot in front and no dot or space at the end"
    elif _DEVICE.fullmatch(name):
        expected = "a name that Windows does not keep for a device"
    elif size > most:
        expected, found = f"a name of at most {most} bytes, to which suffixes such as {_SUFFIX} fit", f"{size} bytes"
    return None if expected is None else Problem(str(where), expected, found, advice)


def file_in(folder: str | os.PathLike[str], name: str) -> Path:
    """Returns the path of a file in a folder, whichever spelling of its name the folder has.

    Args:
      folder: where it lies.
      name: in either spelling.
    """
    path = Path(folder) / name
    if not path.exists() and path.parent.is_dir():
        for entry in path.parent.iterdir():
            if normal_name(entry.name) == normal_name(name):
                return entry
    return path


def stored_path(path: str | os.PathLike[str]) -> Path:
    """Returns a path in the spelling that its folders and its file have, whichever one it was given in.

    Args:
      path: to a file or folder; one that is not there, or cannot be looked for, is returned as it is.
    """
    path = Path(path)
    with contextlib.suppress(OSError):
        if not str(path).isascii() and not path.exists():
            found = Path(path.anchor)
            for name in path.relative_to(path.anchor).parts:
                found = file_in(found, name)
            return found if found.exists() else path
    return path
