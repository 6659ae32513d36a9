"""`attent segment --cohort` as users type it."""

import shutil

import click.testing
import pytest

from cli.main import main


def _invoke(*words):
    return click.testing.CliRunner().invoke(main, ["segment", *map(str, words)])


@pytest.mark.slow
def test_some_failed_exits_with_3_and_says_where_the_reasons_are(finished, model, listed, tmp_path):
    out = shutil.copytree(finished[0], tmp_path / "out")
    done = _invoke("--cohort", listed, "--model", model, "--out", out, "--", "--direct_num_workers=1")
    assert done.exit_code == 3, done.output
    assert "3 scans, 2 complete already" in done.stdout
    assert "2 of 3 scans have a result, 2 of them had one before" in done.stdout
    assert done.stderr.splitlines()[-1] == f"Error: 1 of 3 scans failed; the reasons are in {out}/failed.jsonl"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--cohort", "list.csv"), 2, "Missing option '--model', a package or the version folder of an exported model"),
        (("--cohort", "list.csv", "--model", "m", "--input", "a.nii"), 2, "--input cannot be used with --cohort"),
        (("--cohort", "list.csv", "--model", "m", "--run", "run"), 2, "--run cannot be used with --cohort"),
        (("--cohort", "list.csv", "--model", "m", "--preview"), 2, "--preview cannot be used with --cohort"),
        (("--cohort", "list.csv", "--model", "m"), 1, "list.csv: expected a list of scans, found no such file"),
        (("--cohort", "list.csv", "--model", "m", "--out", "a.nii"), 1, "--out: expected a folder, because --cohort"),
        ((), 2, "Missing option '--input', the scan or the folder of scans; or give --cohort."),
        (("--input", "a.nii", "--run", "run", "--overwrite"), 2, "--overwrite goes with --cohort."),
        (("--input", "a.nii", "--run", "run", "--", "--runner=x"), 2, "--runner=x goes with --cohort."),
        (("--input", "a.nii", "--run", "run", "--model", "m"), 2, "Give one of --run and --model;"),
    ],
)
def test_wrong_use_is_one_line(words, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = _invoke("--out", "out", *words)
    assert done.exit_code == code
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert message in line
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_wrong_beam_options_are_one_line_before_anything_is_made(model, listed, tmp_path):
    for words, message in (
        (("--fast",), "Error: Beam options: --fast is not an option of Beam"),
        (("--runner=FlinkRunner", "--flink_job_server_jar=/nowhere.jar"), "Error: --runner=FlinkRunner: expected "),
    ):
        done = _invoke("--cohort", listed, "--model", model, "--out", tmp_path / "out", "--", *words)
        assert done.exit_code == 1
        assert done.stderr.startswith(message)
    assert not list(tmp_path.iterdir())
