"""Where a job works, and how its folder appears: as a whole, or not at all."""

import contextlib
import dataclasses
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from attent_tf.data.manifest import MANIFEST_FILE
from attent_tf.errors import InputError
from attent_tf.files import folder_written_aside
from attent_tf.storage import is_remote
from beam_preprocess.storage import LocalFolder, RemoteFolder, SharedFolder

PREVIEW = "preview"


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


@contextlib.contextmanager
def _published_local(out: str, overwrite: bool) -> Iterator[Workplace]:
    path = Path(out)
    if path.is_dir() and any(path.iterdir()) and (path / MANIFEST_FILE).is_file() and not overwrite:
        raise InputError(
            out, "a folder without records", "records", "choose another --out, or replace them with --overwrite"
        )
    # Whatever else lies there is not ours to delete.
    with folder_written_aside(path, overwrite and (path / MANIFEST_FILE).is_file()) as aside:
        # Workers may stand in another directory.
        root = aside.resolve()
        places = Workplace(LocalFolder(root), LocalFolder(root / "work"), LocalFolder(root / PREVIEW))
        os.mkdir(root / "work")
        yield places
        shutil.rmtree(root / "work")


@contextlib.contextmanager
def _published_remote(out: str, overwrite: bool) -> Iterator[Workplace]:
    target, target_previews = RemoteFolder(out), RemoteFolder(f"{out.rstrip('/')}/{PREVIEW}")
    if target.names(MANIFEST_FILE) and not overwrite:
        raise InputError(
            out, "a folder without records", "records", "choose another --out, or replace them with --overwrite"
        )
    if target.names("") and not target.names(MANIFEST_FILE):
        raise InputError(
            out, "an empty folder", "other files", "choose another --out, or remove what an interrupted job left"
        )
    aside = f"{out.rstrip('/')}.aside-{uuid.uuid4().hex[:12]}"
    places = Workplace(RemoteFolder(f"{aside}/new"), RemoteFolder(f"{aside}/work"), RemoteFolder(f"{aside}/preview"))
    try:
        for place in (places.folder, places.work, places.previews):
            place.make()
        yield places
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
