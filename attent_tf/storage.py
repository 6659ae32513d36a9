"""Where input lies: local files, or any file system that Apache Beam knows, told by `://` in the path.

Beam is loaded only where such a path occurs.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import errno
import importlib.util
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeVar

from attent_tf.errors import InputError
from attent_tf.s3_clients import share_clients

_COPY_BYTES = 1 << 20

# Requests to an object store that wait side by side.
_REMOTE_REQUESTS = 16

_Q, _A = TypeVar("_Q"), TypeVar("_A")


def is_remote(path: str | os.PathLike[str]) -> bool:
    """Whether a path belongs to one of Beam's file systems."""
    return "://" in str(path)


def open_binary(path: str | os.PathLike[str]) -> BinaryIO:
    """Opens a file for reading its bytes as they are.

    Args:
      path: local, or such as `gs://bucket/scan.nii.gz`.

    Raises:
      OSError: the file cannot be opened.
      InputError: no file system is installed for the path.
    """
    if not is_remote(path):
        return open(path, "rb")
    from apache_beam.io.filesystem import CompressionTypes

    with store_faults(path):
        return file_systems(path).open(str(path), compression_type=CompressionTypes.UNCOMPRESSED)


@contextlib.contextmanager
def store_faults(path: str | os.PathLike) -> Iterator[None]:
    """Turns the errors that clients of object stores have for themselves into an `OSError` about a path."""
    try:
        yield
    except (OSError, InputError):
        raise
    except Exception as error:
        raise OSError(errno.EIO, " ".join(str(error).split()), str(path)) from error


def answers(ask: Callable[[_Q], _A], about: Iterable[_Q], remote: bool) -> Iterator[_A]:
    """Yields `ask(item)` for each item, in order; where that takes requests to a store, some wait side by side.

    Args:
      ask: reads files; from other threads where `remote`.
      about: the items; only some more than were yielded are taken and held.
      remote: whether these files lie on an object store.
    """
    if not remote:
        yield from map(ask, about)
        return
    left = iter(about)
    with concurrent.futures.ThreadPoolExecutor(_REMOTE_REQUESTS) as readers:
        asked = collections.deque(readers.submit(ask, item) for item in itertools.islice(left, 2 * _REMOTE_REQUESTS))
        while asked:
            yield asked.popleft().result()
            asked.extend(readers.submit(ask, item) for item in itertools.islice(left, 1))


def list_files(root: str | os.PathLike[str]) -> list[str]:
    """Lists the files below a folder, without hidden ones (archives leave `._name` files behind).

    Args:
      root: a folder, local or remote.

    Returns:
      Sorted paths relative to `root`, with `/` between their parts. Local folders that hold nothing are listed with a `/`
      at the end.

    Raises:
      InputError: there is no such folder.
    """
    if is_remote(root):
        prefix = str(root).rstrip("/") + "/"
        (matched,) = file_systems(root).match([prefix + "**"])
        paths = [metadata.path.removeprefix(prefix) for metadata in matched.metadata_list]
    else:
        if not os.path.isdir(root):
            raise InputError(root, "the folder of a data set", "none", "check the path")
        paths = list(_walked(root))
    shown = sorted(path for path in paths if not any(part.startswith(".") for part in path.split("/")))
    if is_remote(root) and not shown:
        raise InputError(root, "the folder of a data set", "no files", "check the path")
    return shown


def joined(root: str | os.PathLike[str], relative: str) -> str:
    """Returns the path of a file that `list_files` listed, absolute where it is local."""
    if is_remote(root):
        return f"{str(root).rstrip('/')}/{relative}"
    return os.path.abspath(os.path.join(root, relative))


@dataclasses.dataclass(frozen=True)
class StoredState:
    """What tells without reading them that files are the same as before.

    Attributes:
      files: number of them.
      bytes: the number of bytes of all.
      mtime_ns: when the last one changed.
    """

    files: int
    bytes: int
    mtime_ns: int


def remote_files(path: str) -> list[str]:
    """Returns the file of a path on a file system of Beam, or the files right within it where it is a folder."""
    return [metadata.path for metadata in _remote_metadata(path)]


def remote_state(path: str) -> StoredState:
    """Returns the state of what `remote_files` lists.

    Raises:
      FileNotFoundError: there is no such file or folder.
    """
    found = _remote_metadata(path)
    if not found:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    newest = max(metadata.last_updated_in_seconds or 0.0 for metadata in found)
    return StoredState(len(found), sum(metadata.size_in_bytes for metadata in found), int(newest * 1e9))


@contextlib.contextmanager
def fetched(path: str) -> Iterator[str]:
    """Yields a local path to a file or folder; what is remote is copied to a folder that is gone after the block.

    Args:
      path: local, or such as `s3://bucket/scan.nii.gz` or a folder of DICOM files there.
    """
    if not is_remote(path):
        yield path
        return
    name = path.rstrip("/").rpartition("/")[2]
    with tempfile.TemporaryDirectory(prefix="attent-scan-") as folder:
        place = os.path.join(folder, name)
        files = remote_files(path)
        if files and files != [path]:
            os.mkdir(place)
        for file in files:
            target = place if file == path else os.path.join(place, file.rpartition("/")[2])
            with open_binary(file) as source, open(target, "wb") as copy:
                shutil.copyfileobj(source, copy, _COPY_BYTES)
        yield place


def _remote_metadata(path: str) -> list:
    (matched,) = file_systems(path).match([path])
    if matched.metadata_list:
        return matched.metadata_list
    # An object store has no folders, only longer names.
    (matched,) = file_systems(path).match([path.rstrip("/") + "/*"])
    return sorted(matched.metadata_list, key=lambda metadata: metadata.path)


def _walked(root: str | os.PathLike[str]) -> Iterator[str]:
    seen = set()
    for folder, folders, names in os.walk(root, onerror=_refuse_unlisted, followlinks=True):
        # Data sets are often put together of links; a link to a folder above must not lead around for ever.
        place = os.path.realpath(folder)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        relative = os.path.relpath(folder, root).replace(os.sep, "/")
        prefix = "" if relative == "." else relative + "/"
        yield from (prefix + name for name in names)
        if prefix and not names and not folders:
            yield prefix


def _refuse_unlisted(error: OSError) -> None:
    # Otherwise the cases in it would be missing without a word.
    reason = (error.strerror or str(error)).lower()
    raise InputError(error.filename, "a folder that can be listed", reason, "see who may read it") from error


def file_systems(path: str | os.PathLike[str]):
    """Returns Beam's `FileSystems`, if one of them knows the path; raises InputError otherwise."""
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.options.value_provider import RuntimeValueProvider

    if FileSystems._pipeline_options is None and RuntimeValueProvider.runtime_options is None:
        # What is read before there is a pipeline, such as a cohort's list.
        FileSystems.set_options(PipelineOptions([]))
    scheme = str(path).partition("://")[0]
    try:
        FileSystems.get_filesystem(str(path))
    except ValueError as error:
        raise InputError(
            path,
            f"a file system for {scheme}://",
            "none installed",
            "install Beam's extra for it, for example apache-beam[gcp]",
        ) from error
    if scheme == "s3":
        # Beam has this one always, and tells what it lacks when it is used.
        if importlib.util.find_spec("boto3") is None:
            advice = "install the extra s3: pip install attent-tf[s3]"
            raise InputError(path, "the package boto3 for s3://", "none", advice)
        share_clients()
    return FileSystems
