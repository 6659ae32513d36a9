"""The demo leaves what it promises, and goes on where it stopped."""

import json

import pytest
from click.testing import CliRunner

from attent_tf.metrics.scores import METRICS
from cli.main import main
from tests.support.small_runs import TINY


@pytest.mark.slow
@pytest.mark.eager
def test_the_demo_leaves_records_runs_report_and_summary(tmp_path):
    out = tmp_path / "demo"
    settings = [word for setting in TINY for word in ("--set", setting)]
    words = ["demo", "--out", str(out), "--subjects", "2", "--direction", "ct2mri", "--workers", "1", *settings]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output + repr(result.exception)
    assert (out / "records" / "manifest.json").is_file()
    for method in ("source_only", "attent", "attent_both", "supervised"):
        metrics = json.loads((out / "runs/ct2mri" / method / "seed-0/evaluation/metrics.json").read_text())
        assert (metrics["method"], metrics["direction"]) == (method, "ct2mri")
    summary = json.loads((out / "summary.json").read_text())
    assert set(summary) == {"ct2mri"}
    assert all(tuple(scores) == METRICS for scores in summary["ct2mri"].values())
    report = (out / "report" / "index.html").read_text()
    assert all(title in report for title in ("AttENT", "Supervised", "Source only"))
    *_, report_line, next_line = result.output.rstrip().splitlines()
    assert report_line.endswith(str(out / "report" / "index.html"))
    assert f"--run {out / 'runs' / 'ct2mri' / 'attent_both' / 'seed-0'} " in next_line

    again = CliRunner().invoke(main, words)
    assert again.exit_code == 0, again.output
    assert "Segmentation" not in again.output
    assert json.loads((out / "summary.json").read_text()) == summary

    alone = CliRunner().invoke(main, [*words, "--methods", "source_only"])
    assert alone.exit_code == 0, alone.output + repr(alone.exception)
    assert f"--run {out / 'runs' / 'ct2mri' / 'source_only' / 'seed-0'} " in alone.output.splitlines()[-1]


@pytest.mark.parametrize("words", [["--seed", str(2**31)], ["--seed", "-1"], ["--set", "translation.filters=0"]])
def test_what_training_could_not_take_is_refused_before_anything_is_made(tmp_path, words):
    result = CliRunner().invoke(main, ["demo", "--out", str(tmp_path / "demo"), *words])
    assert result.exit_code != 0
    assert words[1].split("=")[0] in result.output
    assert not (tmp_path / "demo").exists()
