"""`attent report` from evaluation folders alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.folder import write_evaluation
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL
from cli.main import main
from tests.support.abdomen import ABDOMEN


@pytest.fixture
def evaluation(tmp_path):
    """An evaluation inside a run folder that says which version trained it."""
    labels = np.zeros((3, 16, 16), np.uint8)
    for organ in range(1, 5):
        labels[:, 3 * organ : 3 * organ + 2, 4:9] = organ
    image = np.where(labels > 0, 0.5, -1.0).astype(np.float32)
    result = CaseResult("case-1", image, np.zeros_like(image), labels, (5.0, 1.6, 1.6), reference=labels)
    header = {"method": "attent", "direction": "mri2ct", "protocol": DEFAULT_PROTOCOL, "seed": 0}
    write_evaluation(tmp_path / "run" / "evaluation", ABDOMEN, header, [result])
    (tmp_path / "run" / "run.json").write_text(json.dumps({"versions": {"tensorflow": "0.0.7"}}))
    return tmp_path / "run" / "evaluation"


def attent(*words):
    return CliRunner().invoke(main, ["report", *map(str, words)])


def test_report_finds_the_run_around_the_evaluation(evaluation, tmp_path):
    out = tmp_path / "report" / "index.html"
    result = attent("--evaluation", evaluation, "--out", out, "--title", "A title")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"Report: {out}\n"
    assert "0.0.7" in out.read_text("utf-8")
    assert sorted(path.name for path in out.parent.iterdir()) == ["index.html", "scores.csv", "summary.md"]


def test_a_run_elsewhere_can_be_named(evaluation, tmp_path):
    moved = evaluation.rename(tmp_path / "moved")
    out = tmp_path / "index.html"
    assert attent("--evaluation", moved, "--out", out).exit_code == 0
    assert "0.0.7" not in out.read_text("utf-8")
    assert attent("--evaluation", moved, "--run", tmp_path / "run", "--out", out).exit_code == 0
    assert "0.0.7" in out.read_text("utf-8")


def test_tables_alone_go_to_the_standard_output(evaluation):
    latex = attent("--evaluation", evaluation, "--latex")
    assert latex.exit_code == 0
    assert r"AttENT & 100.0 $\pm$ 0.0 & " in latex.stdout
    assert attent("--evaluation", evaluation, "--markdown").stdout.startswith("# AttENT report\n")


def test_what_is_printed_stays_clean_of_the_note_on_the_file(evaluation, tmp_path):
    result = attent("--evaluation", evaluation, "--out", tmp_path / "index.html", "--latex")
    assert result.stdout.endswith("\\\\\n")
    assert "Report:" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to do; give --out, --latex or --markdown"),
        (["--latex", "--run", "a", "--run", "b"], "expected one for each --evaluation (1), found 2"),
        (["--out", "."], "expected an HTML file to write, found a folder"),
    ],
)
def test_wrong_use_is_told(evaluation, words, message):
    result = attent("--evaluation", evaluation, *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_no_evaluation_is_one_line(tmp_path):
    result = attent("--evaluation", tmp_path, "--latex")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert str(Path(tmp_path) / "metrics.json") in result.stderr
