"""A package: one file with a trained model that others start from. Reading it; no TensorFlow, and nothing in it is executed.

It is a zip whose four members are stored as they are, so that nothing in it can grow, and are read in memory alone, so that
nothing in it is written anywhere: what the model is (JSON), its card (Markdown), its weights (safetensors), and the checksums of
these. Checksums tell damage and careless edits; who made a file is told by its own SHA-256, which its maker has to say elsewhere.
"""

import dataclasses
import functools
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from attent_tf.errors import InputError

PACKAGE_FORMAT = 1
CONTENT_FILE, CARD_FILE, WEIGHTS_FILE = "package.json", "MODEL_CARD.md", "weights.safetensors"
CHECKSUMS_FILE = "checksums.json"
MEMBERS = (CHECKSUMS_FILE, CONTENT_FILE, CARD_FILE, WEIGHTS_FILE)

_LARGEST_TEXT_BYTES = 1 << 24
_ADVICE = "get the file again from whoever made it, or make it with attent package"


@dataclasses.dataclass(frozen=True)
class Package:
    """A package whose checksums fit.

    Attributes:
      path: the path of the file.
      content: of `package.json`: what `run.json` says, and `stages`, `warnings`, `weights_sha256` and `versions`.
      card: the model card, Markdown.
    """

    path: Path
    content: Mapping[str, Any]
    card: str

    @property
    def sha256(self) -> str:
        """SHA-256 of the whole file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def warnings(self) -> list[str]:
        """What its maker's run had to say against itself."""
        return list(self.content["warnings"])

    def steps(self, stage: str) -> tuple[int, int]:
        """Returns how many updates a stage had, and how many it was to have."""
        found = self.content["stages"][stage]
        return found["steps"], found["planned"]

    def weights(self) -> dict[str, np.ndarray]:
        """Returns the variables of all networks by `ROLE/PATH`.

        Raises:
          InputError: the file was changed since it was opened, or its weights are no safetensors.
        """
        import safetensors
        import safetensors.numpy

        members = _read_members(self.path)
        try:
            return safetensors.numpy.load(members[WEIGHTS_FILE])
        except (safetensors.SafetensorError, KeyError, ValueError) as error:
            raise InputError(
                self.path, f"safetensors in {WEIGHTS_FILE}", f"other content ({error})", _ADVICE
            ) from error


def read_package(path: str | os.PathLike[str]) -> Package:
    """Opens a package and checks all of it.

    Raises:
      InputError: it is none, cut short, changed, or of a later format.
    """
    path = Path(path)
    members = _read_members(path)
    content = _json(path, CONTENT_FILE, members[CONTENT_FILE])
    try:
        package = Package(path, content, members[CARD_FILE].decode("utf-8"))
        for stage in content["stages"]:
            _ = [int(number) for number in package.steps(stage)]
        _ = [str(line) for line in package.warnings], str(content["weights_sha256"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _refused(path, "stages, warnings and weights_sha256", f"{type(error).__name__} {error}") from error
    return package


def _read_members(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            return _checked_members(path, archive)
    except FileNotFoundError:
        raise InputError(path, "a package", "no such file", "check the path") from None
    except IsADirectoryError:
        raise InputError(path, "a package", "a folder", "give the file that attent package wrote") from None
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _refused(path, "a package", f"a damaged or other file ({error})") from error


def _checked_members(path: Path, archive: zipfile.ZipFile) -> dict[str, bytes]:
    by_name = {info.filename: info for info in archive.infolist()}
    if CHECKSUMS_FILE not in by_name:
        raise _refused(path, f"a package, with {CHECKSUMS_FILE}", f"{_names(by_name)}")
    read = functools.partial(_stored, path, archive)
    listed = _json(path, CHECKSUMS_FILE, read(by_name[CHECKSUMS_FILE]))
    number = listed.get("format")
    if type(number) is int and number > PACKAGE_FORMAT:
        made_with = str(listed.get("library"))[:20]
        advice = f"it was made with attent-tf {made_with}: install that version or a later one"
        raise InputError(path, f"a package of format {PACKAGE_FORMAT}", f"format {number}", advice)
    if number != PACKAGE_FORMAT:
        raise _refused(path, f"a package of format {PACKAGE_FORMAT}", f"format {number!r}")
    if sorted(info.filename for info in archive.infolist()) != sorted(MEMBERS):
        raise _refused(path, f"the members {_names(MEMBERS)}", _names([info.filename for info in archive.infolist()]))
    members = {name: read(by_name[name]) for name in MEMBERS if name != CHECKSUMS_FILE}
    digests = listed.get("sha256")
    for name, content in members.items():
        found = hashlib.sha256(content).hexdigest()
        if not isinstance(digests, dict) or digests.get(name) != found:
            raise _refused(
                path, f"{name} as {CHECKSUMS_FILE} says", f"SHA-256 {found[:16]}…: it was changed or damaged"
            )
    return members


def _stored(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Reads a member that takes as many bytes in the file as it has."""
    limit = path.stat().st_size if info.filename == WEIGHTS_FILE else _LARGEST_TEXT_BYTES
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.file_size > limit:
        found = f"{info.file_size} bytes in {info.compress_size}"
        raise _refused(path, f"{info.filename!r} stored as it is", found)
    return archive.read(info)


def _json(path: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _refused(path, f"JSON in {name}", f"other content ({error})") from error
    if not isinstance(found, dict):
        raise _refused(path, f"an object in {name}", type(found).__name__)
    return found


def _names(names: Iterable[str]) -> str:
    shown = [repr(name[:60]) for name in list(names)[:6]]
    return ", ".join(shown) or "nothing"


def _refused(path: Path, expected: str, found: str) -> InputError:
    return InputError(path, expected, " ".join(found.split()), _ADVICE)
