"""Tables for texts: what they say, and that nothing in them can break the text around them."""

import csv
import io

import pytest

from attent_tf.evaluation.folder import read_evaluation
from attent_tf.reporting.papers import as_csv, as_latex, as_markdown
from attent_tf.reporting.published import DICE_PERCENT
from attent_tf.reporting.report import read_sections
from tests.support.abdomen import SPLEEN


@pytest.fixture
def sections(make_evaluation, make_case):
    missed = [make_case("case-1", missed=[SPLEEN]), make_case("case-2", shift=3)]
    return read_sections([make_evaluation("source_only", cases=missed), make_evaluation()], "here")


def test_csv_holds_every_summary(sections):
    rows = list(csv.DictReader(io.StringIO(as_csv(sections))))
    _, evaluation = sections[0].entries[1]
    assert len(rows) == 2 * len(evaluation.average) * 5
    (row,) = (r for r in rows if (r["label"], r["metric"], r["organ"]) == ("AttENT", "dice", "spleen"))
    assert float(row["mean"]) == evaluation.structures["spleen"]["dice"]["mean"]
    assert (row["n"], row["seed"]) == ("2", "0")
    (average,) = (r for r in rows if (r["label"], r["metric"], r["organ"]) == ("AttENT", "dice", "average"))
    assert float(average["mean"]) == evaluation.average["dice"]
    infinite = {r["organ"] for r in rows if r["mean"] == "inf" and r["metric"] == "assd_mm"}
    assert infinite == {"spleen", "average"}


def test_markdown_says_scores_paper_protocol_and_failures(sections):
    text = as_markdown(sections, "A *title*")
    _, evaluation = sections[0].entries[1]
    liver = evaluation.structures["liver"]["dice"]
    assert text.startswith(r"# A \*title\*")
    assert f"| AttENT (n 2) | {liver['mean']:.1f} ± {liver['std']:.1f} " in text
    assert "| *AttENT, paper* | *88.56* | *80.66* | *85.59* | *86.34* | *85.29* |" in text
    assert "do not compare them digit by digit" in text
    assert "- Source only, case-1: Spleen: predicted nowhere." in text
    assert f"## Protocol `{evaluation.header['protocol']}`" in text


def test_every_markdown_row_has_as_many_cells_as_its_head(make_evaluation):
    place = make_evaluation(method="a|b", warnings=["one\ntwo"])
    lines = [line for line in as_markdown(read_sections([place], "here"), "x").splitlines() if line.startswith("|")]
    assert lines
    assert {line.replace(r"\|", "").count("|") for line in lines} == {7}


def test_latex_rows_have_a_cell_for_every_column(sections):
    rows = [line for line in as_latex(sections).splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    of_the_paper = len(DICE_PERCENT["mri2ct"])
    assert len(rows) == 3 * 2 + 2 * of_the_paper
    assert {row.count(" & ") for row in rows} == {5}
    assert r"$\infty$" in rows[2 + of_the_paper]
    assert any(r" $\pm$ " in row for row in rows)


def test_latex_escapes_what_it_would_read(make_evaluation):
    text = as_latex(read_sections([make_evaluation(method=r"100%_{a} & \b~^#$")], "here"))
    assert r"100\%\_\{a\} \& \textbackslash{}b\textasciitilde{}\textasciicircum{}\#\$" in text


def test_tables_stand_beside_the_report(make_evaluation, tmp_path):
    from attent_tf.reporting.report import write_report

    place = make_evaluation()
    write_report(tmp_path / "page.html", [place], "Report")
    assert (tmp_path / "summary.md").read_text("utf-8") == as_markdown(read_sections([place], "here"), "Report")
    assert (tmp_path / "scores.csv").read_text("utf-8") == as_csv(read_sections([place], "here"))
    assert read_evaluation(place.folder).cases
