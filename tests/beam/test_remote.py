"""Scans that lie on a file system of Beam are read as those on a local disk."""

import pytest

import beam_preprocess
from attent_tf.errors import InputError
from attent_tf.storage import list_files, open_binary
from tests.support.digests import file_digests
from tests.support.object_store import SCHEME, ObjectStore

DATA = f"{SCHEME}://bucket/data"


@pytest.fixture(autouse=True)
def stored(data):
    """The small data as objects."""
    ObjectStore.objects.clear()
    for name in ("chaos", "malbcv"):
        for path in (data / name).rglob("*"):
            if path.is_file():
                ObjectStore.objects[f"{DATA}/{path.relative_to(data).as_posix()}"] = path.read_bytes()
    yield ObjectStore.objects
    ObjectStore.objects.clear()


@pytest.mark.slow
def test_remote_scans_make_the_records_of_local_ones(make_options, tmp_path):
    beam_preprocess.run(make_options())
    remote = make_options(mri=f"{DATA}/chaos", ct=f"{DATA}/malbcv/", out=str(tmp_path / "remote"))
    beam_preprocess.run(remote)
    assert file_digests(tmp_path / "remote") == file_digests(tmp_path / "records")


def test_a_broken_remote_scan_is_named_by_its_path(make_options, stored, tmp_path):
    path = f"{DATA}/malbcv/RawData/Training/img/img0002.nii.gz"
    stored[path] = stored[path][:5000]
    with pytest.raises(InputError, match=rf"{path}: expected a whole NIfTI"):
        beam_preprocess.run(make_options(ct=f"{DATA}/malbcv"))
    assert not list(tmp_path.iterdir())


def test_a_missing_remote_folder_is_one_line(make_options):
    with pytest.raises(InputError, match=f"{DATA}/none: expected the folder of a data set, found no files; check"):
        beam_preprocess.run(make_options(ct=f"{DATA}/none"))


def test_remote_listings_leave_hidden_files_out(stored):
    stored[f"{DATA}/chaos/._x"] = stored[f"{DATA}/chaos/.hidden/x"] = b""
    listed = list_files(f"{DATA}/chaos")
    assert len(listed) == 24
    assert listed == sorted(listed)
    assert not any("/." in path or path.startswith(".") for path in listed)


def test_bytes_come_as_they_are_whatever_the_suffix(stored):
    """Beam would unpack `.gz` by itself, and the reader a second time."""
    path = f"{DATA}/malbcv/RawData/Training/img/img0001.nii.gz"
    with open_binary(path) as file:
        assert file.read() == stored[path]
