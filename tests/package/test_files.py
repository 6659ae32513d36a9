"""Writes that are complete or absent, whatever the length of their names."""

import fcntl
import json
import os

import pytest

from attent_tf.files import folder_written_aside, json_bytes, json_parts, remove_abandoned, write_text, written_aside

LONG = ["n" * 255, "患" * 85, "n" * 248 + ".nii.gz"]


@pytest.mark.parametrize("name", ["a.nii.gz", *LONG])
def test_a_file_may_have_any_name_that_its_folder_takes(name, tmp_path):
    with written_aside(tmp_path / name) as aside:
        assert aside.name.startswith(".aside-")
        # Some writers choose the format by the suffixes.
        assert aside.name.endswith(name[-7:])
        aside.write_text("text")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "text"}


@pytest.mark.parametrize("name", LONG)
def test_a_folder_may_have_any_name_that_its_folder_takes(name, tmp_path):
    with folder_written_aside(tmp_path / name) as aside:
        write_text(aside / "a", "old")
    with folder_written_aside(tmp_path / name, overwrite=True) as aside:
        write_text(aside / "a", "new")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "a").read_text() == "new"


@pytest.mark.parametrize("name", LONG)
def test_what_a_killed_program_left_of_a_long_name_is_its_own(name, tmp_path):
    """The folder that was being replaced comes back under its whole name, and that of a name alike at both ends stays."""
    twin = name[:40] + "x" + name[41:]
    locks = {}
    for folder in (name, twin):
        with folder_written_aside(tmp_path / folder) as aside:
            (lock,) = set(tmp_path.glob(".aside-*.lock")) - set(locks.values())
            locks[folder] = lock
            write_text(aside / "a", folder)
            # Two programs at once keep out of each other's way.
            remove_abandoned(tmp_path / folder)
            assert aside.is_dir()
        os.replace(tmp_path / folder, lock.with_suffix(".old"))
        lock.touch()
    remove_abandoned(tmp_path / name)
    assert (tmp_path / name / "a").read_text() == name
    assert not locks[name].exists()
    assert locks[twin].exists()
    with locks[twin].open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        remove_abandoned(tmp_path / twin)
        assert not (tmp_path / twin).exists()
    remove_abandoned(tmp_path / twin)
    assert (tmp_path / twin / "a").read_text() == twin


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"b": [], "a": {"z": [1, {"y": "line\nbreak"}], "x": None}},
        {"list": [[1, 2], {"k": []}, "ä", 0.1, True], "empty": [], "one": [{}]},
    ],
)
def test_parts_of_json_are_the_whole(content):
    in_parts = {key: iter(value) if isinstance(value, list) else value for key, value in content.items()}
    assert b"".join(json_parts(in_parts)) == json_bytes(content)
    in_parts = {key: iter(value) if isinstance(value, list) else value for key, value in content.items()}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert b"".join(json_parts(in_parts, canonical=True)) == canonical.encode()


def test_parts_of_json_come_while_a_list_is_being_made():
    taken = []
    parts = json_parts({"list": (taken.append(number) or number for number in range(3))})
    while not taken:
        next(parts)
    assert taken == [0]
    with pytest.raises(ValueError, match="not JSON compliant"):
        list(json_parts({"list": iter([float("nan")])}))
