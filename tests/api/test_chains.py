"""`load_chain` refuses what is no model; what it loads is tested where runs, exports and servers are."""

import pytest

import attent_tf as at
from attent_tf.errors import InputError


@pytest.mark.parametrize("name", ["nothing", "file", "folder"])
def test_what_is_no_model_is_refused(name, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    found = {"nothing": "nothing", "file": "a file", "folder": "neither there"}[name]
    with pytest.raises(
        InputError, match=rf"{name}: expected a run folder \(run.json\) or .*, found {found}; take what"
    ):
        at.load_chain(tmp_path / name)
