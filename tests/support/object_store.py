"""A file system of Beam in memory that behaves as an object store: no folders, and no renames in one step."""

import io
import threading

from apache_beam.io.filesystem import BeamIOError, CompressionTypes, FileMetadata, FileSystem

SCHEME = "attentmemory"


class _Upload(io.BytesIO):
    """An object that is there once it is closed."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def close(self):
        if not self.closed:
            with ObjectStore.lock:
                ObjectStore.objects[self._path] = self.getvalue()
                ObjectStore.history.append(("write", self._path))
        super().close()


class ObjectStore(FileSystem):
    """Objects by path, shared by all instances, and what was done to them in order."""

    objects: dict[str, bytes] = {}  # noqa: RUF012 - Beam makes an instance for each call
    history: list[tuple[str, str]] = []  # noqa: RUF012
    lock = threading.Lock()

    @classmethod
    def scheme(cls):
        return SCHEME

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *(path.strip("/") for path in paths)])

    def split(self, path):
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path):
        """Object stores have no folders."""

    def has_dirs(self):
        return False

    def _list(self, dir_or_prefix):
        with self.lock:
            found = sorted((path, len(content)) for path, content in self.objects.items())
        for path, size in found:
            if path.startswith(dir_or_prefix):
                yield FileMetadata(path, size)

    def create(self, path, mime_type="application/octet-stream", compression_type=CompressionTypes.AUTO):
        return _Upload(path)

    def open(self, path, mime_type="application/octet-stream", compression_type=CompressionTypes.AUTO):
        if path not in self.objects:
            raise BeamIOError("no such object", {path: "404"})
        return io.BytesIO(self.objects[path])

    def copy(self, source_file_names, destination_file_names):
        raise NotImplementedError

    def rename(self, source_file_names, destination_file_names):
        for source, target in zip(source_file_names, destination_file_names, strict=True):
            with self.lock:
                self.objects[target] = self.objects.pop(source)
                self.history.append(("rename", target))

    def exists(self, path):
        return path in self.objects

    def size(self, path):
        return len(self.objects[path])

    def last_updated(self, path):
        raise NotImplementedError

    def metadata(self, path):
        return FileMetadata(path, self.size(path))

    def delete(self, paths):
        for path in paths:
            with self.lock:
                # As with object stores: a folder is no object, and deleting what is not there is an error.
                if path not in self.objects:
                    raise BeamIOError("no such object", {path: "404"})
                del self.objects[path]
                self.history.append(("delete", path))
