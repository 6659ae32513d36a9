"""Notes: what workers leave for the main program."""

import threading

import pytest

from attent_tf.errors import ConfigError, InputError
from attent_tf.shared_folders import LocalFolder
from beam_preprocess import notes


@pytest.fixture
def folder(tmp_path):
    return LocalFolder(tmp_path)


def test_notes_are_collected_by_kind(folder):
    notes.leave(folder, notes.CASE, "a/b: c", {"case": 1})
    notes.leave(folder, notes.CASE, "a/b: c", {"case": 1})
    notes.leave(folder, notes.SHARD, "a/b: c", {"shard": 1})
    assert notes.collect(folder, notes.CASE) == [{"case": 1}]
    assert notes.collect(folder, notes.SHARD) == [{"shard": 1}]


@pytest.mark.parametrize("error", [InputError("scan.nii: cut off"), ConfigError("--slices: none")])
def test_refusal_comes_back_as_it_was_raised(folder, error):
    with pytest.raises(type(error)), notes.refusals_noted(folder, "chaos-1"):
        raise error
    back = notes.first_refusal(folder)
    assert type(back) is type(error)
    assert str(back) == str(error)


def test_operating_system_errors_name_file_and_case(folder):
    with pytest.raises(FileNotFoundError), notes.refusals_noted(folder, "chaos-1"):
        folder.opened("gone.dcm")
    back = notes.first_refusal(folder)
    assert isinstance(back, InputError)
    assert str(back).startswith(f"{folder.path}/gone.dcm: No such file or directory, while working on chaos-1")


def test_defects_leave_no_note(folder):
    with pytest.raises(ZeroDivisionError), notes.refusals_noted(folder, "chaos-1"):
        raise ZeroDivisionError
    assert notes.first_refusal(folder) is None


def test_a_note_is_found_without_a_look_at_all_others(folder, monkeypatch):
    """Each of n workers' cases asks: with a listing of n notes each time, a large job would never end."""
    monkeypatch.setattr(LocalFolder, "names", lambda *_: pytest.fail("a listing"))
    assert notes.find(folder, notes.REJECTED, "chaos-1") is None
    notes.leave(folder, notes.REJECTED, "chaos-1", {"why": 1})
    assert notes.find(folder, notes.REJECTED, "chaos-1") == {"why": 1}


def test_a_folder_that_is_away_for_a_moment_is_looked_at_again(folder, monkeypatch):
    names, looks, told, seen = LocalFolder.names, [], [], threading.Event()

    def away_at_first(self, prefix):
        looks.append(prefix)
        if len(looks) == 1:
            raise OSError("away")
        return names(self, prefix)

    monkeypatch.setattr(LocalFolder, "names", away_at_first)
    with notes.watched(folder, {notes.CASE: lambda content: (told.append(content), seen.set())}):
        notes.leave(folder, notes.CASE, "first", 1)
        assert seen.wait(60)
    assert told == [1]


def test_watcher_tells_each_note_once_and_misses_none(folder):
    told, seen = [], threading.Event()

    def tell(content):
        told.append(content)
        seen.set()

    with notes.watched(folder, {notes.CASE: tell}):
        notes.leave(folder, notes.CASE, "first", 1)
        assert seen.wait(60)
        notes.leave(folder, notes.SHARD, "other", 3)
        notes.leave(folder, notes.CASE, "last", 2)
    assert told == [1, 2]
