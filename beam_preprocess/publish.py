"""Where a job works, and how its folder appears: as a whole, or not at all."""

import contextlib
import dataclasses
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

from attent_tf.data.manifest import MANIFEST_FILE
from attent_tf.errors import InputError
from attent_tf.files import folder_written_aside, remove_abandoned
from attent_tf.storage import file_systems, is_remote
from beam_preprocess.storage import LocalFolder, RemoteFolder, SharedFolder

PREVIEW = "preview"
REJECTED_FILE = "rejected.jsonl"
WARNINGS_FILE = "warnings.jsonl"

# What stands behind the name of a remote folder that is not complete, and the file by which its job tells that it lives.
_ASIDE, _ALIVE = ".aside-", "alive"
_SECONDS_BETWEEN_SIGNS, _SECONDS_UNTIL_ABANDONED = 60, 900

# What a job writes, and all that --overwrite may delete.
_OURS = re.compile(
    rf"{re.escape(MANIFEST_FILE)}|{re.escape(REJECTED_FILE)}|{re.escape(WARNINGS_FILE)}"
    rf"|slices-\d{{5}}-of-\d{{5}}\.tfrecord|{PREVIEW}/(index\.html|[0-9a-f]{{16}}\.png)"
)


@dataclasses.dataclass(frozen=True)
class Workplace:
    """The folders of a running job.

    Attributes:
      folder: becomes the records folder.
      work: notes and staged cases; goes away.
      previews: contact sheets; becomes `preview` in the records folder.
    """

    folder: SharedFolder
    work: SharedFolder
    previews: SharedFolder


def check_target(out: str, overwrite: bool) -> None:
    """Refuses a folder that a job may not make or replace. What a killed job left beside it is put in order first.

    Args:
      out: the records folder, local or with `://`.
      overwrite: whether records that are there already may be replaced.

    Raises:
      InputError: `out` is a file, holds records and `overwrite` is not set, or holds anything that no job wrote.
    """
    if is_remote(out):
        _check_within_bucket(out)
        names = RemoteFolder(out).all_names()
    else:
        remove_abandoned(out)
        path = Path(out)
        if path.exists() and not path.is_dir():
            raise InputError(out, "a folder", "a file", "choose another --out")
        names = sorted(_names_below(path))
    others = [name for name in names if not _OURS.fullmatch(name)]
    if others:
        raise InputError(
            out,
            "a folder that does not exist yet or is empty, or records",
            f"{others[0]}, which attent preprocess did not write",
            "choose another --out",
        )
    if names and not overwrite:
        found = "records" if MANIFEST_FILE in names else "parts of records that an interrupted job left"
        raise InputError(
            out,
            "a folder without records",
            found,
            "choose another --out, or replace them with --overwrite",
        )


@contextlib.contextmanager
def published(out: str, overwrite: bool) -> Iterator[Workplace]:
    """Yields a workplace whose folder becomes `out` when the block ends without an error.

    On a local disk the folder is renamed in one step. On other file systems files are moved one by one, and `manifest.json`,
    without which readers refuse the folder, comes last.

    Args:
      out: the records folder, local or with `://`.
      overwrite: whether records that are there already may be replaced.

    Raises:
      InputError: `out` holds something that may not be replaced.
    """
    with (_published_remote if is_remote(out) else _published_local)(out, overwrite) as workplace:
        yield workplace


def _names_below(path: Path) -> Iterator[str]:
    """Yields the files below a folder, and its empty folders with a `/` behind."""
    for folder, folders, names in os.walk(path):
        relative = Path(folder).relative_to(path)
        yield from (str(relative / name) for name in names)
        if not folders and not names and relative.parts:
            yield f"{relative}/"


@contextlib.contextmanager
def _published_local(out: str, overwrite: bool) -> Iterator[Workplace]:
    path = Path(out)
    check_target(out, overwrite)
    with folder_written_aside(path, overwrite) as aside:
        # Workers may stand in another directory.
        root = aside.resolve()
        places = Workplace(LocalFolder(root), LocalFolder(root / "work"), LocalFolder(root / PREVIEW))
        os.mkdir(root / "work")
        yield places
        shutil.rmtree(root / "work")
        # Somebody may have put a file there in the meantime.
        check_target(out, overwrite)


@contextlib.contextmanager
def _published_remote(out: str, overwrite: bool) -> Iterator[Workplace]:
    check_target(out, overwrite)
    target, target_previews = RemoteFolder(out), RemoteFolder(f"{out.rstrip('/')}/{PREVIEW}")
    aside = f"{out.rstrip('/')}{_ASIDE}{uuid.uuid4().hex[:12]}"
    places = Workplace(RemoteFolder(f"{aside}/new"), RemoteFolder(f"{aside}/work"), RemoteFolder(f"{aside}/preview"))
    try:
        for place in (places.folder, places.work, places.previews):
            place.make()
        with _known_to_live(RemoteFolder(aside)):
            _remove_abandoned_remote(out, aside)
            yield places
        check_target(out, overwrite)
        # Without its manifest, readers refuse the folder from here until the new one has come.
        if target.names(MANIFEST_FILE):
            target.delete(MANIFEST_FILE)
        target.delete_all()
        target.make()
        if names := places.previews.names(""):
            target_previews.make()
            for name in names:
                places.previews.rename_to(name, target_previews)
        for name in sorted(places.folder.names(""), key=lambda name: name == MANIFEST_FILE):
            places.folder.rename_to(name, target)
    finally:
        RemoteFolder(aside).delete_all()


def _check_within_bucket(out: str) -> None:
    _, _, place = out.rstrip("/").partition("://")
    if "/" not in place:
        raise InputError(out, "a folder within the bucket", "the bucket itself", f"write {out.rstrip('/')}/records")


@contextlib.contextmanager
def _known_to_live(aside: RemoteFolder) -> Iterator[None]:
    """Writes a file into the folder of a job now and then, because object stores have no locks."""
    stopped = threading.Event()

    def sign() -> None:
        with aside.created(_ALIVE) as file:
            file.write(b"alive\n")

    def keep_signing() -> None:
        while not stopped.wait(_SECONDS_BETWEEN_SIGNS):
            # The store may be away for a moment; the job itself will tell if it stays away.
            with contextlib.suppress(Exception):
                sign()

    sign()
    signer = threading.Thread(target=keep_signing, name="attent-alive", daemon=True)
    signer.start()
    try:
        yield
    finally:
        stopped.set()
        signer.join()


def _remove_abandoned_remote(out: str, mine: str) -> None:
    """Removes what killed jobs left beside `out`: folders in which nothing was written for long, by the store's own clock."""
    beside = f"{out.rstrip('/')}{_ASIDE}"
    (matched,) = file_systems(out).match([f"{beside}**"])
    newest: dict[str, float] = {}
    for metadata in matched.metadata_list:
        folder = beside + metadata.path.removeprefix(beside).partition("/")[0]
        newest[folder] = max(newest.get(folder, 0.0), metadata.last_updated_in_seconds or 0.0)
    now = newest.pop(mine, 0.0)
    for folder, last in newest.items():
        if now - last > _SECONDS_UNTIL_ABANDONED:
            RemoteFolder(folder).delete_all()
