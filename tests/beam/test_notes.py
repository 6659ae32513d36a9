"""Notes: what workers leave for the main program."""

import threading

import pytest

from attent_tf.errors import ConfigError, InputError
from beam_preprocess import notes


def test_notes_are_collected_by_kind(tmp_path):
    notes.leave(tmp_path, notes.CASE, "a/b: c", {"case": 1})
    notes.leave(tmp_path, notes.CASE, "a/b: c", {"case": 1})
    notes.leave(tmp_path, notes.SHARD, "a/b: c", {"shard": 1})
    assert notes.collect(tmp_path, notes.CASE) == [{"case": 1}]
    assert notes.collect(tmp_path, notes.SHARD) == [{"shard": 1}]


@pytest.mark.parametrize("error", [InputError("scan.nii: cut off"), ConfigError("--slices: none")])
def test_refusal_comes_back_as_it_was_raised(tmp_path, error):
    with pytest.raises(type(error)), notes.refusals_noted(tmp_path, "chaos-1"):
        raise error
    back = notes.first_refusal(tmp_path)
    assert type(back) is type(error)
    assert str(back) == str(error)


def test_operating_system_errors_name_file_and_case(tmp_path):
    with pytest.raises(FileNotFoundError), notes.refusals_noted(tmp_path, "chaos-1"):
        (tmp_path / "gone.dcm").read_bytes()
    back = notes.first_refusal(tmp_path)
    assert isinstance(back, InputError)
    assert str(back).startswith(f"{tmp_path / 'gone.dcm'}: No such file or directory, while working on chaos-1")


def test_defects_leave_no_note(tmp_path):
    with pytest.raises(ZeroDivisionError), notes.refusals_noted(tmp_path, "chaos-1"):
        raise ZeroDivisionError
    assert notes.first_refusal(tmp_path) is None


def test_watcher_tells_each_note_once_and_misses_none(tmp_path):
    told, seen = [], threading.Event()

    def tell(content):
        told.append(content)
        seen.set()

    with notes.watched(tmp_path, notes.CASE, tell):
        notes.leave(tmp_path, notes.CASE, "first", 1)
        assert seen.wait(10)
        notes.leave(tmp_path, notes.SHARD, "other", 3)
        notes.leave(tmp_path, notes.CASE, "last", 2)
    assert told == [1, 2]
