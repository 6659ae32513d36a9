from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main


@pytest.fixture
def calls(monkeypatch):
    """Arguments with which the command calls `write_phantom`, which does nothing but report."""
    made = []

    def stand_in(out, subjects, seed, report):
        made.append((out, subjects, seed))
        report("chaos-1")

    monkeypatch.setattr("attent_tf.phantom.write_phantom", stand_in)
    return made


def test_the_last_line_says_what_to_do_next(calls):
    result = CliRunner().invoke(main, ["phantom", "--out", "some/phantom", "--subjects", "3", "--seed", "4"])
    assert result.exit_code == 0
    assert calls == [(Path("some/phantom"), 3, 4)]
    last = result.output.strip().splitlines()[-1]
    assert str(Path("some/phantom/chaos")) in last
    assert "attent preprocess --mri some/phantom/chaos --ct some/phantom/malbcv --out some/records" in last


def test_an_occupied_folder_is_one_line(tmp_path):
    (tmp_path / "kept.txt").write_text("mine")
    result = CliRunner().invoke(main, ["phantom", "--out", str(tmp_path), "--subjects", "1"])
    assert result.exit_code == 1
    assert str(tmp_path) in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("option", [["--subjects", "0"], ["--seed", "-1"], []])
def test_wrong_options_are_refused(option, calls):
    out = ["--out", "x"] if option else []
    assert CliRunner().invoke(main, ["phantom", *out, *option]).exit_code == 2
    assert calls == []


def test_the_help_has_an_example():
    assert "attent phantom --out phantom" in CliRunner().invoke(main, ["phantom", "--help"]).output
