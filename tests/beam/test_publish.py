"""What a folder must be for a job to make or replace it, and what a killed job leaves to the next."""

import fcntl
import os

import pytest

from attent_tf.errors import InputError
from attent_tf.files import folder_written_aside
from beam_preprocess.publish import check_target, published


def _records(folder, word="old"):
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(word)
    (folder / "slices-00000-of-00001.tfrecord").write_text(word)
    return folder


def _write(out, overwrite, word="new"):
    with published(str(out), overwrite) as workplace, workplace.folder.created("manifest.json") as file:
        file.write(word.encode())


def _abandoned(folder, name):
    """As a job for `name` leaves it when it is killed between its two renames."""
    _records(folder / f".aside-{name}-abcdefgh.old")
    _records(folder / f".aside-{name}-abcdefgh.new", "new")
    (folder / f".aside-{name}-abcdefgh.lock").write_text("")


def _below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    "mine",
    ["thesis.txt", "slices-1.tfrecord", "preview/notes.txt", "preview/manifest.json", ".hidden", "empty/"],
)
def test_a_folder_with_files_of_others_is_never_replaced(tmp_path, mine):
    out = _records(tmp_path / "records")
    (out / mine).parent.mkdir(exist_ok=True)
    if mine.endswith("/"):
        (out / mine).mkdir()
    else:
        (out / mine).write_text("mine")
    before = _below(tmp_path)
    with pytest.raises(InputError, match="which attent preprocess did not write; choose another --out"):
        _write(out, overwrite=True)
    assert _below(tmp_path) == before


def test_a_file_that_appears_while_the_job_runs_is_not_deleted(tmp_path):
    out = _records(tmp_path / "records")
    with pytest.raises(InputError, match=r"found thesis\.txt"), published(str(out), True):
        (out / "thesis.txt").write_text("mine")
    assert _below(out) == ["manifest.json", "slices-00000-of-00001.tfrecord", "thesis.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_records_are_replaced_on_request_only(tmp_path):
    out = _records(tmp_path / "records")
    with pytest.raises(InputError, match="found records; choose another --out, or replace them with --overwrite"):
        _write(out, overwrite=False)
    assert (out / "manifest.json").read_text() == "old"
    _write(out, overwrite=True)
    assert (out / "manifest.json").read_text() == "new"
    assert _below(tmp_path) == ["records", "records/manifest.json"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_empty_or_absent_folder_can_always_be_made(tmp_path, overwrite):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent"):
        _write(tmp_path / name, overwrite)
        assert _below(tmp_path / name) == ["manifest.json"]


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path):
    (tmp_path / "records").write_text("mine")
    with pytest.raises(InputError, match="expected a folder, found a file; choose another --out"):
        check_target(str(tmp_path / "records"), True)


def test_overwriting_goes_on_after_a_kill_between_the_renames(tmp_path):
    _abandoned(tmp_path, "records")
    _write(tmp_path / "records", overwrite=True, word="newer")
    assert (tmp_path / "records" / "manifest.json").read_text() == "newer"
    assert _below(tmp_path) == ["records", "records/manifest.json"]


def test_what_another_target_left_stays_where_it_is(tmp_path):
    """`records` is the beginning of `records-b`, whose old records would appear under the wrong name."""
    _abandoned(tmp_path, "records-b")
    before = _below(tmp_path)
    _write(tmp_path / "records", overwrite=False)
    assert sorted({*_below(tmp_path)} - {"records", "records/manifest.json"}) == before


def test_a_lock_that_was_taken_for_abandoned_is_made_anew(tmp_path, monkeypatch):
    """Another job may find the lock free between its making and its locking, and remove it."""
    lock, removed = fcntl.flock, []

    def lock_late(handle, operation):
        if not removed:
            (found,) = tmp_path.glob(".aside-*.lock")
            removed.append(found)
            found.unlink()
        return lock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with folder_written_aside(tmp_path / "records"):
        (held,) = tmp_path.glob(".aside-*.lock")
        with held.open("r+b") as file, pytest.raises(BlockingIOError):
            lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


def test_the_folder_behind_a_link_is_replaced_and_not_the_link(tmp_path):
    _records(tmp_path / "disk" / "records")
    os.symlink(tmp_path / "disk" / "records", tmp_path / "records")
    _write(tmp_path / "records", overwrite=True)
    assert (tmp_path / "records").is_symlink()
    assert _below(tmp_path / "disk") == ["records", "records/manifest.json"]
    assert (tmp_path / "disk" / "records" / "manifest.json").read_text() == "new"
