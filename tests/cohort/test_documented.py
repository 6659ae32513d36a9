"""Every command and example of docs/cohorts.md, as it stands there, one after the other in one folder."""

import contextlib
import io
import re
import shlex
import shutil
from pathlib import Path

import click.testing
import pytest

from cli.main import main
from tests.cohort.conftest import write_small_ct

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "cohorts.md"


def _blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", _PAGE.read_text(), re.DOTALL)


@pytest.mark.slow
def test_the_commands_run(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run.folder, "runs/attent")
    Path("scans").mkdir()
    (listed,) = _blocks("csv")
    # The third scan is a folder of the reader's own.
    Path("list.csv").write_text("".join(line for line in listed.splitlines(True) if not line.startswith("/")))
    for seed, name in enumerate(("0001", "0002")):
        write_small_ct(f"scans/{name}.nii.gz", seed)
    commands = [line for block in _blocks("sh") for line in block.splitlines()]
    assert len(commands) == 4
    for line in commands:
        done = click.testing.CliRunner().invoke(main, shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}\n{done.output}"
    named = set(re.findall(r"^\| `([\w.]+)` \|", _PAGE.read_text(), re.M))
    found = {path.name.replace("0001", "CASE") for path in Path("results").iterdir() if "0002" not in path.name}
    assert found == named - {"failed.jsonl"}
    (example,) = _blocks("python")
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        exec(compile(example, "cohorts.md", "exec"), {})
    assert told.getvalue() == "2 2 []\n"
