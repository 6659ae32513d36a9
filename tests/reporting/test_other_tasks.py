"""Reports of tasks other than the abdomen: titles, colours and columns are theirs, and the paper is not there."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from attent_tf.errors import InputError
from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.comparison import compare_runs, read_runs
from attent_tf.evaluation.folder import read_evaluation
from attent_tf.reporting.contact_sheet import PreviewEntry, draw_contact_sheet, preview_page
from attent_tf.reporting.forest import draw_comparison
from attent_tf.reporting.palette import rgb
from attent_tf.reporting.papers import as_csv, as_latex, as_markdown
from attent_tf.reporting.report import read_sections, write_report
from attent_tf.reporting.signs import sign_table
from tests.reporting.conftest import case_result
from tests.support.abdomen import ABDOMEN
from tests.support.amos_task import AMOS, columns_of_structures
from tests.support.small_tasks import SMALL

TASKS = pytest.mark.parametrize("task", [SMALL, AMOS], ids=lambda task: task.name)


def _case(task, name="one", missed=()):
    labels = columns_of_structures(task)
    prediction = np.where(np.isin(labels, [task.class_names.index(name) for name in missed]), 0, labels).astype(
        np.uint8
    )
    image = np.linspace(-1, 1, labels.size, dtype=np.float32).reshape(labels.shape)
    return CaseResult(name, image, None, prediction, (5.0, 1.5, 1.5), reference=labels)


@TASKS
def test_a_page_has_the_columns_legend_and_colours_of_its_task(task, make_evaluation, read_page, tmp_path):
    place = make_evaluation(direction="t12t2", task=task, cases=[_case(task)])
    write_report(tmp_path / "index.html", [place], "title")
    page = read_page(tmp_path / "index.html")
    heads = [text for attributes, text in page.find("th") if attributes.get("scope") == "col"]
    assert heads[: len(task.structures) + 2] == ["Method", *task.titles.values(), "Average"]
    index = json.loads(page.json("sectiont12t2-viewer-index"))
    assert index["structures"] == [
        {"title": structure.title, "colour": structure.colour} for structure in task.structures
    ]
    assert len(index["cases"][0]["scores"][0]["structures"]) == len(task.structures)
    titles = [task.domain(name).title for name in ("t1", "t2")]
    assert f"learns from labelled {titles[0]} and unlabelled {titles[1]}" in page.text
    assert "Table I" not in page.text
    assert "Liver" not in page.text or task is AMOS


def test_what_is_not_scored_is_shown_and_counts_in_no_average(make_evaluation):
    place = make_evaluation(direction="t12t2", task=AMOS, cases=[_case(AMOS, missed=["bladder"])])
    (section,) = read_sections([place], "here")
    (dice, *_) = section.scores
    assert [cell.text for cell in dice.rows[0].cells[-3:]] == ["0.0 ± 0.0", "100.0 ± 0.0", "100.0"]
    assert section.average_text.endswith("without Bladder, Prostate or uterus, which are not scored.")
    assert section.failures[0].text == "Bladder: predicted nowhere"


def test_texts_have_the_columns_of_each_task(make_evaluation):
    places = [
        make_evaluation(direction="t12t2", task=AMOS, cases=[_case(AMOS)]),
        make_evaluation(direction="t12t2", task=SMALL, cases=[_case(SMALL)]),
        make_evaluation(direction="mri2ct", cases=[case_result("one")]),
    ]
    sections = read_sections(places, "here")
    assert [section.title for section in sections] == [
        "Fifteen organs, T1-weighted MRI → T2-weighted MRI",
        "Small, T1 → T2",
        "Abdominal organs, MRI → CT",
    ]
    assert len({section.identifier for section in sections}) == 3
    text = as_markdown(sections, "title")
    for task in (AMOS, SMALL, ABDOMEN):
        assert f"| Method | {' | '.join(task.titles.values())} | Average |" in text
    # The paper's rows stand in the section of its task alone.
    assert [any(group.paper for group in section.scores) for section in sections] == [False, False, True]
    assert "multicolumn{3}" not in as_latex(sections[:1])
    assert r"\multicolumn{4}{l}{" in as_latex(sections[1:2])
    assert "paper" not in as_latex(sections[1:2])
    rows = list(csv.DictReader(io.StringIO(as_csv(sections[1:2]))))
    assert [row["organ"] for row in rows if row["metric"] == "dice"] == ["bright", "dark", "average"]


def test_signs_are_told_by_the_titles_of_the_task(make_evaluation):
    sign = {"id": "shares", "title": "T", "value": 1.0, "verdict": "green", "thresholds": "", "meaning": ""}
    signs = {"cases": [], "slices": 0, "left_out": [], "signs": [{**sign, "organs": {"bright": 1.0, "dark": None}}]}
    place = make_evaluation(direction="t12t2", task=SMALL, cases=[_case(SMALL)], signs=signs)
    (_, (cell,)), _ = sign_table([("A", read_evaluation(place.folder))]).rows
    assert cell.details == ("bright 1.00", "dark –")


@TASKS
def test_a_contact_sheet_names_every_structure_in_its_colour(task):
    labels = columns_of_structures(task, (6, 64, 96))
    sheet = draw_contact_sheet(task, np.zeros(labels.shape, np.float32), labels, "case", (5.0, 2.0, 2.0))
    picture = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB")).astype(int)
    # Fifteen entries stand in two rows below the title, two beside it.
    head = 34 if task is SMALL else 34 + 2 * 24
    swatches = {colour: (np.abs(picture[:head] - rgb(colour)) < 4).all(-1).sum() for colour in task.colours.values()}
    assert set(swatches.values()) == {15 * 15}


def test_previews_stand_by_domains_of_the_task():
    entries = [PreviewEntry(f"case-{name}", name, "train", f"{name}.png", 3, 4) for name in ("t2", "t1")]
    page = preview_page(AMOS, entries, [])
    assert page.index('<section id="t1"') < page.index('<section id="t2"')
    assert '<h2 id="t1-title">T1-weighted MRI</h2>' in page


@pytest.mark.slow
def test_the_plot_of_a_comparison_has_a_band_for_each_structure(make_evaluation, tmp_path):
    places = [
        make_evaluation(method, "t12t2", [_case(AMOS, "one", ["liver"]), _case(AMOS, "two")], task=AMOS)
        for method in ("attent", "pixel")
    ]
    draw_comparison(compare_runs(read_runs([place.folder for place in places])), tmp_path)
    drawn = (tmp_path / "comparison.svg").read_text()
    assert all(f">{title}</text>" in drawn for title in (*AMOS.titles.values(), "Average"))


def test_evaluations_that_say_no_task_are_refused_by_a_report(make_evaluation, tmp_path):
    place = make_evaluation()
    path = place.folder / "metrics.json"
    content = json.loads(path.read_text())
    del content["task"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"expected the task .*; evaluate again"):
        write_report(tmp_path / "index.html", [place], "title")
