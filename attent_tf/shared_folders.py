"""The folder that main program and workers share, on a local disk or on any file system of Beam.

A file in it is whole or absent. On a local disk that is a rename; elsewhere it is written under another name first.
"""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from attent_tf.files import written_aside
from attent_tf.storage import file_systems, is_remote, open_binary, store_faults


class SharedFolder(Protocol):
    """What the job asks of a folder; small enough to travel to workers."""

    def created(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """Opens a file for writing that appears when the block ends without an error."""

    def opened(self, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """Opens a file for reading."""

    def names(self, prefix: str) -> list[str]:
        """Returns the sorted names of its files that begin with `prefix`."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name; no other file is looked at."""

    def size(self, name: str) -> int:
        """Returns the size of a file in bytes; raises OSError where there is none."""

    def delete(self, name: str) -> None:
        """Deletes one file, if it is there."""


class LocalFolder:
    """A folder of this machine, or one that all workers have mounted at the same path."""

    def __init__(self, path: str | os.PathLike):
        self.path = str(path)

    @contextlib.contextmanager
    def created(self, name: str) -> Iterator[BinaryIO]:
        # A worker that outlives its job must not bring the folder back that the job has removed.
        if not os.path.isdir(self.path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        with written_aside(Path(self.path) / name) as aside, aside.open("wb") as file:
            yield file

    def opened(self, name: str) -> BinaryIO:
        return open(os.path.join(self.path, name), "rb")

    def names(self, prefix: str) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return sorted(name for name in os.listdir(self.path) if name.startswith(prefix))
        return []

    def exists(self, name: str) -> bool:
        return os.path.exists(os.path.join(self.path, name))

    def size(self, name: str) -> int:
        return os.path.getsize(os.path.join(self.path, name))

    def delete(self, name: str) -> None:
        Path(self.path, name).unlink(missing_ok=True)


class RemoteFolder:
    """A folder on a file system of Beam, such as `gs://bucket/records`."""

    def __init__(self, path: str):
        self.path = path.rstrip("/")

    @contextlib.contextmanager
    def created(self, name: str) -> Iterator[BinaryIO]:
        target, part = self._join(name), self._join(f".part-{uuid.uuid4().hex}-{name}")
        with store_faults(target):
            file = self._systems().create(part, compression_type=_uncompressed())
        try:
            yield file
            with store_faults(target):
                if file.tell() or not part.startswith("s3://"):
                    file.close()
                else:
                    _put_empty_object(part)
                # Not every file system renames onto a file; a worker that does its work twice leaves the same one.
                if self._systems().exists(target):
                    self._systems().delete([target])
                self._systems().rename([part], [target])
        except BaseException:
            with contextlib.suppress(Exception):
                file.close()
                self._systems().delete([part])
            raise

    def opened(self, name: str) -> BinaryIO:
        return open_binary(self._join(name))

    def names(self, prefix: str) -> list[str]:
        with store_faults(self.path):
            (matched,) = self._systems().match([self._join(prefix + "*")])
        return sorted(metadata.path.rsplit("/", 1)[1] for metadata in matched.metadata_list)

    def rename_to(self, name: str, target: "RemoteFolder") -> None:
        """Moves one file."""
        self._systems().rename([self._join(name)], [target._join(name)])

    def make(self) -> None:
        """Makes the folder where the file system has folders."""
        if not self._systems().exists(self.path):
            self._systems().mkdirs(self.path)

    def exists(self, name: str) -> bool:
        return self._systems().exists(self._join(name))

    def size(self, name: str) -> int:
        (matched,) = self._systems().match([self._join(name)])
        if not matched.metadata_list:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._join(name))
        return matched.metadata_list[0].size_in_bytes

    def delete(self, name: str) -> None:
        if self._systems().exists(self._join(name)):
            self._systems().delete([self._join(name)])

    def all_names(self) -> list[str]:
        """Returns the sorted names of all files below it, with `/` where they lie deeper."""
        (matched,) = self._systems().match([self.path + "/**"])
        return sorted(metadata.path.removeprefix(self.path + "/") for metadata in matched.metadata_list)

    def delete_all(self) -> None:
        """Deletes the folder with everything in it, if it is there."""
        if names := self.all_names():
            self._systems().delete([f"{self.path}/{name}" for name in names])
        # What is left are empty folders, which object stores do not have.
        with contextlib.suppress(Exception):
            self._systems().delete([self.path + "/"])

    def _join(self, name: str) -> str:
        return self._systems().join(self.path, name)

    def _systems(self):
        return file_systems(self.path)


def shared_folder(path: str) -> SharedFolder:
    """Returns the folder of a path, local or on a file system of Beam."""
    return RemoteFolder(path) if is_remote(path) else LocalFolder(path)


def _uncompressed() -> str:
    from apache_beam.io.filesystem import CompressionTypes

    return CompressionTypes.UNCOMPRESSED


def _put_empty_object(path: str) -> None:
    """Makes an object without content: Beam uploads in parts, and S3 takes no upload of none."""
    from apache_beam.io.aws.clients.s3.boto3_client import Client
    from apache_beam.io.aws.s3io import parse_s3_path
    from apache_beam.io.filesystems import FileSystems

    bucket, key = parse_s3_path(path)
    Client(FileSystems.get_filesystem(path)._options).client.put_object(Bucket=bucket, Key=key, Body=b"")
