"""Which folder a version gets."""

import pytest

from attent_tf.errors import InputError
from attent_tf.export.versions import version_folder


def test_the_next_free_number_follows_the_highest(tmp_path):
    assert version_folder(tmp_path / "new") == (1, tmp_path / "new" / "1")
    for name in ("1", "7", "notes", ".aside-9-x.new"):
        (tmp_path / name).mkdir()
    assert version_folder(tmp_path) == (8, tmp_path / "8")
    assert version_folder(tmp_path, 3) == (3, tmp_path / "3")


@pytest.mark.parametrize(
    ("version", "message"), [(7, "give --version 8, or leave it out"), (0, "a number of at least 1")]
)
def test_numbers_that_cannot_be_given_are_refused(version, message, tmp_path):
    (tmp_path / "7").mkdir()
    with pytest.raises(InputError, match=message):
        version_folder(tmp_path, version)


def test_a_file_is_no_model(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="found a file"):
        version_folder(tmp_path / "file")


def test_a_version_is_no_model(tmp_path):
    (tmp_path / "saved_model.pb").write_text("")
    with pytest.raises(InputError, match="found a version; give the folder above"):
        version_folder(tmp_path)
