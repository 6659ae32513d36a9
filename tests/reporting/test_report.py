import base64
import io
import json
import math
import re

import numpy as np
import pytest
from PIL import Image

from attent_tf.errors import InputError
from attent_tf.metrics.evaluation import read_evaluation
from attent_tf.organs import ORGANS, SPLEEN
from attent_tf.reporting.report import write_report
from attent_tf.reporting.sources import EvaluationForReport


@pytest.fixture
def report(tmp_path, read_page):
    def write(*evaluations, title="Report", **options):
        write_report(tmp_path / "page" / "index.html", evaluations, title, **options)
        return read_page(tmp_path / "page" / "index.html")

    return write


def test_page_is_well_formed_and_stands_by_itself(report, make_evaluation, run_folder):
    page = report(make_evaluation(run_folder=run_folder), make_evaluation(direction="ct2mri"))
    assert page.text.startswith("<!doctype html>")
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert "url(//" not in page.text
    assert not page.find("script")
    assert not page.find("link")
    assert all(attributes["src"].startswith("data:image/") for attributes, _ in page.find("img"))
    assert all(attributes["href"].startswith("#") for attributes, _ in page.find("a"))


def test_names_refer_to_what_is_there(report, make_evaluation, run_folder):
    page = report(make_evaluation(run_folder=run_folder), make_evaluation(method="cyclegan"))
    identifiers = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for _, attributes, _ in page.elements:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in identifiers
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in identifiers
        for reference in re.findall(r"url\(#([^)]+)\)", attributes.get("clip-path", "")):
            assert reference in identifiers


def test_everything_to_be_seen_can_be_heard(report, make_evaluation, run_folder):
    page = report(make_evaluation(run_folder=run_folder))
    images = page.find("img")
    assert len(images) == 2 * 3 * 5
    assert len({attributes["alt"] for attributes, _ in images}) == len(images)
    assert all(attributes["aria-label"] for attributes, _ in page.find("svg"))
    assert len(page.find("caption")) == len(page.find("table"))
    assert [attributes.get("lang") for attributes, _ in page.find("html")] == ["en"]
    assert all(attributes.get("scope") for attributes, _ in page.find("th"))


def test_page_holds_the_numbers_of_the_evaluation(report, make_evaluation):
    place = make_evaluation()
    evaluation = read_evaluation(place.folder)
    cells = [text.strip() for _, text in report(place).find("td")]
    for organ in ORGANS:
        for metric, digits in (("dice", 1), ("assd_voxel", 2), ("assd_mm", 2)):
            summary = evaluation.organs[organ][metric]
            assert f"{summary['mean']:.{digits}f} ± {summary['std']:.{digits}f}" in cells
    assert f"{evaluation.average['dice']:.1f}" in cells
    for case in evaluation.cases:
        assert f"{case['liver']['dice']:.1f}" in cells


def test_missed_undefined_and_spurious_organs_are_called_so(report, make_evaluation, make_case):
    missed = make_case("case-missed", missed=[SPLEEN])
    spurious = make_case("case-spurious")
    spurious.reference[spurious.reference == SPLEEN] = 0
    absent = make_case("case-absent", missed=[SPLEEN])
    absent.reference[absent.reference == SPLEEN] = 0
    page = report(make_evaluation(cases=[missed, spurious, absent]))
    states = {}
    for attributes, text in page.find("td"):
        states.setdefault(attributes.get("class"), []).append(text.strip())
    assert states["missed"].count("missed") == 1
    assert states["spurious"] == ["spurious"]
    assert "–" in states["undefined"]
    # Both distances of the spleen: two of the three cases count, and both are infinite.
    assert states["missed"].count("∞") == 2
    assert [text for _, text in page.find("small") if text == "n 2 of 3, infinite in 2"] == [
        "n 2 of 3, infinite in 2"
    ] * 2


def test_worst_case_comes_first(report, make_evaluation, make_case):
    cases = [make_case("good"), make_case("worst", shift=9), make_case("middle", shift=3)]
    page = report(make_evaluation(cases=cases))
    rows = [
        text
        for attributes, text in page.find("th")
        if attributes.get("scope") == "rowgroup" and "rowspan" in attributes
    ]
    assert rows == ["worst", "middle", "good"]


def test_protocol_and_selection_are_stated(report, make_evaluation):
    page = report(make_evaluation(selection="The last step of training."), make_evaluation(direction="ct2mri"))
    assert "Eq. 10" in page.text
    assert "medpy" in page.text
    selections = [text for _, text in page.find("dd")]
    assert selections[0] == "The last step of training."
    assert selections[1].startswith("Not recorded.")


def test_warnings_stand_before_the_scores(report, make_evaluation):
    page = report(make_evaluation(warnings=["translation may have failed", "entropy is high"]))
    assert page.text.index("translation may have failed") < page.text.index("<table")
    assert "entropy is high" in page.text
    assert not report(make_evaluation()).find("aside")


def test_text_from_outside_is_escaped(report, make_evaluation, run_folder):
    evil = "<script>alert('&')</script>"
    place = make_evaluation(
        warnings=[evil], selection=evil, remark=evil, method=evil.replace("/", "|"), run_folder=run_folder
    )
    page = report(place, title=evil)
    assert not page.find("script")
    assert [text for _, text in page.find("h1")] == [evil]
    assert not page.find("b")
    assert "note: <b>bold & brave</b>" in page.find("pre")[0][1]


def test_methods_stand_side_by_side(report, make_evaluation, make_case):
    better = [make_case("case-1"), make_case("case-2")]
    page = report(make_evaluation("source_only"), make_evaluation("attent", cases=better))
    labels = [text for attributes, text in page.find("th") if attributes.get("scope") == "row"]
    assert labels[:2] == ["Source only", "AttENT"]
    captions = [text for _, text in page.find("figcaption")]
    assert captions.count("Source only") == captions.count("AttENT") == captions.count("Reference") == 6
    assert captions.count("Translated (AttENT)") == captions.count("Input") == 6
    assert "sign-flip permutation test" in page.text
    assert "AttENT − Source only" in labels


def test_seeds_of_one_method_are_told_apart(report, make_evaluation):
    page = report(make_evaluation(seed=1), make_evaluation(seed=2))
    labels = [text for attributes, text in page.find("th") if attributes.get("scope") == "row"]
    assert labels[:2] == ["AttENT, seed 1", "AttENT, seed 2"]


def test_numbers_that_cannot_be_compared_are_said_to_be(report, make_evaluation, make_case):
    same = report(make_evaluation(), make_evaluation("pixel"))
    assert "cannot be compared" not in same.text
    cases = report(make_evaluation(), make_evaluation("pixel", cases=[make_case("case-1")]))
    assert "scored on different cases" in cases.text
    protocols = report(make_evaluation(), make_evaluation("pixel", protocol="released_2d"))
    assert "scored by different protocols" in protocols.text


def test_cases_without_reference_show_volumes_and_no_scores(report, make_evaluation, make_case):
    page = report(make_evaluation(cases=[make_case("case-1", reference=False, translated=False)]))
    assert "nothing is scored" in page.text
    # The liver: 3 slices of 18 by 12 pixels of 5 × 1.6 × 1.6 mm.
    assert f"{3 * 18 * 12 * 5 * 1.6 * 1.6 / 1000:.0f}" in [text for _, text in page.find("td")]
    captions = [text for _, text in page.find("figcaption")]
    assert captions == ["Input", "Entropy", "Prediction"] * 3


def test_run_shows_curves_configuration_and_versions(report, make_evaluation, run_folder):
    page = report(make_evaluation(run_folder=run_folder))
    names = [attributes["aria-label"] for attributes, _ in page.find("svg")]
    assert "Cycle consistency over the steps: cycle_source, cycle_target" in names
    assert "Segmentation over the steps: segmentation" in names
    assert "2.21.0" in [text for _, text in page.find("td")]
    assert [text for _, text in page.find("summary")] == ["Evaluation", "Configuration", "Versions"]


def test_configuration_in_run_json_serves_where_there_is_no_yaml(report, make_evaluation, run_folder):
    (run_folder / "config.yaml").unlink()
    (run_folder / "run.json").write_text(json.dumps({"configuration": {"method": "attent", "steps": 10}}))
    page = report(make_evaluation(run_folder=run_folder))
    assert page.find("pre")[0][1].strip() == "method: attent\nsteps: 10"


def test_missing_parts_of_a_run_are_left_out(report, make_evaluation, tmp_path):
    (tmp_path / "bare").mkdir()
    page = report(make_evaluation(run_folder=tmp_path / "bare"))
    assert not page.find("pre")
    assert len(page.find("svg")) == 1


def test_damaged_parts_of_a_run_are_one_line(report, make_evaluation, run_folder):
    (run_folder / "run.json").write_text("{")
    with pytest.raises(InputError, match=r"run\.json: expected JSON"):
        report(make_evaluation(run_folder=run_folder))
    (run_folder / "run.json").unlink()
    (run_folder / "translation" / "history.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"history\.csv: expected a column 'step'"):
        report(make_evaluation(run_folder=run_folder))


def test_methods_on_different_grids_are_refused(report, make_evaluation, make_case):
    with pytest.raises(InputError, match="expected one grid for all methods"):
        report(make_evaluation(), make_evaluation("pixel", cases=[make_case("case-1", slices=7)]))


def test_nothing_to_report_is_refused(tmp_path):
    with pytest.raises(InputError, match="at least one evaluation"):
        write_report(tmp_path / "index.html", [], "Report")
    with pytest.raises(InputError, match="there is no such file"):
        write_report(tmp_path / "index.html", [EvaluationForReport(tmp_path)], "Report")
    assert not (tmp_path / "index.html").exists()


def test_same_evaluations_give_the_same_page(report, make_evaluation, run_folder):
    place = make_evaluation(run_folder=run_folder)
    assert report(place).text == report(place).text


def test_pictures_show_predicted_organs_in_their_place(report, make_evaluation):
    page = report(make_evaluation(), cases_shown=1, slices_shown=1)
    images = [attributes for attributes, _ in page.find("img")]
    pictures = {attributes["alt"].split(": ")[1]: _decode(attributes["src"]) for attributes in images}
    plain, overlay = pictures["the scan"], pictures["organs of the reference"]
    translated = pictures["the scan in source style"].astype(int)
    # The input brightens from left to right; its stand-in for a translation is the negative.
    middle = plain.shape[0] // 2
    assert plain[middle, 20, 0] + 20 < plain[middle, -20, 0]
    assert translated[middle, 20, 0] > translated[middle, -20, 0] + 20
    coloured = np.ptp(overlay.astype(int), axis=-1) > 30
    assert np.ptp(plain.astype(int), axis=-1).max() < 12
    rows, columns = np.nonzero(coloured)
    # Organs fill rows 12 to 29 and columns 2 to 43 of a picture that begins near row 2 and column 0, twice enlarged.
    assert math.isclose(np.ptp(rows) + 1, 2 * 18, abs_tol=4)
    assert math.isclose(np.ptp(columns) + 1, 2 * 42, abs_tol=4)


def test_both_directions_have_a_section_in_the_usual_order(report, make_evaluation):
    page = report(make_evaluation(direction="ct2mri"), make_evaluation(direction="mri2ct"))
    headings = [text for _, text in page.find("h2")]
    assert headings[:2] == ["MRI → CT", "CT → MRI"]


def test_metrics_of_another_hand_without_the_optional_keys_can_be_shown(report, make_evaluation):
    place = make_evaluation()
    document = json.loads((place.folder / "metrics.json").read_text())
    for case in document["cases"]:
        for key in ("labelled", "slices", "volume_ml", "spacing_mm"):
            del case[key]
    del document["scored_unit"], document["protocol_text"]
    (place.folder / "metrics.json").write_text(json.dumps(document))
    assert "does not describe this protocol" in report(place).text


def _decode(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))
