"""Scans and records on a file system of Beam, here one that keeps its files below a local folder under a scheme of its own."""

import os
import shutil
from pathlib import Path

import pytest

import beam_preprocess
from attent_tf.data.verify import verify
from attent_tf.errors import InputError
from attent_tf.volumes import PrepareOptions

SCHEME = "attenttest"


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """Local folder in which what is written to `attenttest://...` lies."""
    from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem, MatchResult
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import PipelineOptions

    place = tmp_path_factory.mktemp("remote")

    class Remote(FileSystem):
        """An object store: no folders, and no renaming onto what exists."""

        @classmethod
        def scheme(cls):
            return SCHEME

        def _local(self, path):
            return place / path.removeprefix(f"{SCHEME}://")

        def join(self, basepath, *paths):
            return "/".join((basepath.rstrip("/"), *paths))

        def split(self, path):
            return tuple(path.rsplit("/", 1))

        def mkdirs(self, path):
            """Nothing to do, as in Beam's own object stores."""

        def has_dirs(self):
            return False

        def _list(self, dir_or_prefix):
            for path in sorted(place.rglob("*")):
                name = f"{SCHEME}://{path.relative_to(place).as_posix()}"
                if path.is_file() and name.startswith(dir_or_prefix):
                    yield FileMetadata(name, path.stat().st_size)

        def create(self, path, mime_type=None, compression_type=None):
            self._local(path).parent.mkdir(parents=True, exist_ok=True)
            return open(self._local(path), "wb")

        def open(self, path, mime_type=None, compression_type=None):
            return open(self._local(path), "rb")

        def copy(self, source_file_names, destination_file_names):
            raise NotImplementedError

        def rename(self, source_file_names, destination_file_names):
            for source, target in zip(source_file_names, destination_file_names, strict=True):
                if self._local(target).exists():
                    raise BeamIOError(f"{target} exists")
                self._local(target).parent.mkdir(parents=True, exist_ok=True)
                os.rename(self._local(source), self._local(target))

        def exists(self, path):
            return self._local(path).is_file()

        def size(self, path):
            return self._local(path).stat().st_size

        def last_updated(self, path):
            return self._local(path).stat().st_mtime

        def checksum(self, path):
            return str(self.size(path))

        def metadata(self, path):
            return FileMetadata(path, self.size(path))

        def delete(self, paths):
            for path in paths:
                shutil.rmtree(self._local(path)) if self._local(path).is_dir() else self._local(path).unlink()

        def match(self, patterns, limits=None):
            import fnmatch
            import re

            results = []
            for pattern in patterns:
                expression = re.compile(fnmatch.translate(pattern))
                results.append(MatchResult(pattern, [one for one in self._list("") if expression.match(one.path)]))
            return results

    FileSystems.set_options(PipelineOptions([]))
    yield place
    # Beam finds file systems among the living subclasses.
    del Remote


@pytest.fixture
def options(data, remote):
    shutil.copytree(data, remote / "bucket" / "data", dirs_exist_ok=True)
    shutil.rmtree(remote / "bucket" / "records", ignore_errors=True)
    return {
        "out": f"{SCHEME}://bucket/records",
        "mri": f"{SCHEME}://bucket/data/chaos",
        "ct": f"{SCHEME}://bucket/data/malbcv",
        "prepare": PrepareOptions(size=144, pixel_mm=2.0),
    }


def _files(folder: Path) -> dict:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_remote_job_writes_the_bytes_of_a_local_one(options, data, remote, tmp_path):
    beam_preprocess.run(beam_preprocess.PreprocessOptions(**options, preview=True))
    local = options | {"out": str(tmp_path / "records"), "mri": str(data / "chaos"), "ct": str(data / "malbcv")}
    beam_preprocess.run(beam_preprocess.PreprocessOptions(**local, preview=True))
    assert _files(remote / "bucket" / "records") == _files(tmp_path / "records")
    verify(remote / "bucket" / "records")
    assert {path.name for path in (remote / "bucket").iterdir() if _files(path)} == {"data", "records"}


def test_records_are_replaced_only_where_that_is_asked_for(options, remote):
    beam_preprocess.run(beam_preprocess.PreprocessOptions(**options))
    before = _files(remote / "bucket" / "records")
    with pytest.raises(InputError, match=r"expected a folder without records, found records; .*--overwrite"):
        beam_preprocess.run(beam_preprocess.PreprocessOptions(**options, shards=2))
    assert _files(remote / "bucket" / "records") == before
    beam_preprocess.run(beam_preprocess.PreprocessOptions(**options, shards=2, overwrite=True))
    assert len(verify(remote / "bucket" / "records").shards) == 2
    assert len(_files(remote / "bucket" / "records")) == 3


def test_a_job_that_stops_leaves_nothing(options, remote):
    path = remote / "bucket" / "data" / "malbcv" / "RawData" / "Training" / "img" / "img0002.nii.gz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=rf"{SCHEME}://bucket/data/malbcv/.*img0002\.nii\.gz: expected a whole NIfTI"):
        beam_preprocess.run(beam_preprocess.PreprocessOptions(**options))
    assert {path.name for path in (remote / "bucket").iterdir() if _files(path)} == {"data"}


def test_a_scheme_without_a_file_system_is_one_line(data):
    options = beam_preprocess.PreprocessOptions(out="nosuch://bucket/records", ct=str(data / "malbcv"), split="none")
    with pytest.raises(
        InputError, match="expected a file system for nosuch://, found none installed; install Beam's extra"
    ):
        beam_preprocess.run(options)


def test_a_missing_remote_folder_is_one_line(options):
    with pytest.raises(InputError, match=f"{SCHEME}://bucket/none: expected the folder of a data set, found no files"):
        beam_preprocess.run(beam_preprocess.PreprocessOptions(**options | {"ct": f"{SCHEME}://bucket/none"}))
