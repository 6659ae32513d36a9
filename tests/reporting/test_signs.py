"""What a report says of signs that need no labels."""

import pytest

from attent_tf.errors import InputError
from attent_tf.evaluation.folder import read_evaluation
from attent_tf.reporting.report import write_report
from attent_tf.reporting.signs import sign_table
from attent_tf.signs import RULES, Estimate
from tests.reporting.conftest import signs_of

ESTIMATE = Estimate(81.0, 4.2, 12, 60.0, 5, 1)


def _page(tmp_path, read_page, *places):
    write_report(tmp_path / "page.html", places, "Signs")
    return read_page(tmp_path / "page.html")


def test_each_sign_has_its_number_verdict_and_meaning(make_evaluation):
    table = sign_table([("AttENT", read_evaluation(make_evaluation(signs=signs_of()).folder))])
    assert table.labels == ("AttENT",)
    rows = {title: cell for title, (cell,) in table.rows}
    assert list(rows) == [*(rule.title for name, rule in RULES.items() if name != "paths"), "Together"]
    assert (rows["Together"].text, rows["Together"].verdict) == ("1 amber", "amber")
    assert [
        (rows[RULES[name].title].text, rows[RULES[name].title].verdict) for name in ("shares", "grey", "cycle")
    ] == [
        ("1.10", "green"),
        ("0.72", "amber"),
        ("0.95", "green"),
    ]
    assert rows["Shares of structures"].details == (
        "liver 1.10",
        "right kidney 1.00",
        "left kidney 1.00",
        "spleen 1.00",
    )
    assert rows["Entropy on structures"].details == ("source 0.10",)
    assert [title for title, _, _ in table.meanings] == list(rows)[:-1]
    assert table.remarks == ["Left out: agreement of the paths (the method deploys one path)."]


def test_methods_stand_side_by_side_and_a_sign_that_one_lacks_is_empty_there(make_evaluation):
    places = [
        make_evaluation("source_only", signs=signs_of(cycle=None)),
        make_evaluation(signs=signs_of(estimate=ESTIMATE)),
    ]
    entries = [(label, read_evaluation(place.folder)) for label, place in zip("AB", places, strict=True)]
    table = sign_table([*entries, ("C", read_evaluation(make_evaluation().folder))])
    assert table.labels == ("A", "B")
    cells = dict(table.rows)["Agreement around the cycle"]
    assert [(cell.text, cell.verdict) for cell in cells] == [("–", ""), ("0.95", "green")]
    assert table.remarks == [
        f"B: {ESTIMATE.sentence}",
        "Left out: agreement of the paths (the method deploys one path); agreement around the cycle (the method has no "
        "translators both ways: A).",
    ]


def test_the_page_has_the_section_with_labels_and_without(make_evaluation, make_case, tmp_path, read_page):
    unlabelled = make_evaluation(cases=[make_case("bare", reference=False)], signs=signs_of(liver=0.1))
    for place in (make_evaluation(signs=signs_of(liver=0.1)), unlabelled):
        page = _page(tmp_path, read_page, place)
        assert ("h3", "Without labels") in [(tag, text) for tag, _, text in page.elements]
        cells = [text.strip() for attributes, text in page.find("td") if attributes.get("class") == "red"]
        assert cells == ["0.10", "1 red, 1 amber"]
        # The verdict stands in words, and not in a colour alone.
        assert [text for attributes, text in page.find("span") if text == "red"] == ["red", "red"]
        assert "signs" not in [text for _, text in page.find("th")]


def test_without_signs_or_an_estimate_the_page_speaks_of_none(make_evaluation, tmp_path, read_page):
    assert "Without labels" not in _page(tmp_path, read_page, make_evaluation()).text
    assert "Estimate of the average Dice" not in _page(tmp_path, read_page, make_evaluation(signs=signs_of())).text
    estimated = make_evaluation(signs=signs_of(estimate=ESTIMATE))
    assert ESTIMATE.sentence in _page(tmp_path, read_page, estimated).text


def test_damaged_signs_are_refused_in_one_line(make_evaluation):
    place = make_evaluation(signs={"cases": []})
    with pytest.raises(InputError, match=r"metrics\.json: signs: expected the keys .*; evaluate again"):
        sign_table([("A", read_evaluation(place.folder))])
