import base64
import hashlib
import json
import re

import pytest

from attent_tf.errors import InputError
from attent_tf.evaluation import folder
from attent_tf.evaluation.folder import read_evaluation, write_evaluation
from attent_tf.postprocessing import Postprocessing
from attent_tf.reporting.report import write_report
from attent_tf.reporting.sources import EvaluationForReport
from tests.support.abdomen import ABDOMEN, LIVER, ORGANS, SPLEEN


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
    assert not page.find("link")
    assert not page.find("img")
    assert not any("src" in attributes for _, attributes, _ in page.elements)
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


def test_only_the_script_of_the_report_may_run(report, make_evaluation):
    page = report(make_evaluation())
    (script,) = (text for attributes, text in page.find("script") if attributes["type"] == "module")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (
        attributes["content"]
        for attributes, _ in page.find("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert {attributes["type"] for attributes, _ in page.find("script")} == {"module", "application/json"}
    assert not [name for _, attributes, _ in page.elements for name in attributes if name.startswith("on")]


def test_everything_to_be_seen_can_be_heard(report, make_evaluation, run_folder):
    page = report(make_evaluation(run_folder=run_folder))
    canvases = [attributes for attributes, _ in page.find("canvas")]
    assert all(attributes.get("aria-label") or attributes.get("aria-hidden") for attributes in canvases)
    assert sum("aria-label" in attributes for attributes in canvases) == 6
    assert all(attributes["aria-label"] for attributes, _ in page.find("svg"))
    assert len(page.find("caption")) == len(page.find("table"))
    assert [attributes.get("lang") for attributes, _ in page.find("html")] == ["en"]
    assert all(attributes.get("scope") for attributes, _ in page.find("th"))


def test_page_holds_the_numbers_of_the_evaluation(report, make_evaluation):
    place = make_evaluation()
    found = read_evaluation(place.folder)
    cells = [text.strip() for _, text in report(place).find("td")]
    for organ in ORGANS:
        for metric, digits in (("dice", 1), ("assd_voxel", 2), ("assd_mm", 2)):
            summary = found.structures[organ][metric]
            assert f"{summary['mean']:.{digits}f} ± {summary['std']:.{digits}f}" in cells
    assert f"{found.average['dice']:.1f}" in cells
    for case in found.cases:
        assert f"{case.scores['liver']['dice']:.1f}" in cells


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
    assert states["missed"][:2] == ["∞", "∞"]
    assert [text for _, text in page.find("small") if "infinite" in text][:2] == ["n 2 of 3, infinite in 2"] * 2


def test_worst_case_comes_first(report, make_evaluation, make_case):
    cases = [make_case("good"), make_case("worst", shift=9), make_case("middle", shift=3)]
    page = report(make_evaluation(cases=cases))
    rows = [text for attributes, text in page.find("a") if "data-case" in attributes]
    assert rows == ["worst", "middle", "good"]


def test_protocol_and_selection_are_stated(report, make_evaluation):
    page = report(make_evaluation(selection="The last step of training."), make_evaluation(direction="ct2mri"))
    assert "Eq. 10" in page.text
    assert "medpy" in page.text
    selections = [text for _, text in page.find("dd")]
    assert "The last step of training." in selections
    assert sum(text.startswith("Not recorded.") for text in selections) == 1


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
    assert not [text for _, text in page.find("script") if "alert" in text and "\\u003c" not in text]
    assert [text for _, text in page.find("h1")] == [evil]
    assert not any(text for _, text in page.find("b"))
    assert "note: <b>bold & brave</b>" in page.find("pre")[0][1]


def test_methods_stand_side_by_side(report, make_evaluation, make_case):
    better = [make_case("case-1"), make_case("case-2")]
    page = report(make_evaluation("source_only"), make_evaluation("attent", cases=better))
    labels = [text for attributes, text in page.find("th") if attributes.get("scope") == "row"]
    assert labels[:2] == ["Source only", "AttENT"]
    assert json.loads(page.json("sectionmri2ct-viewer-index"))["methods"] == ["Source only", "AttENT"]
    assert "sign-flip permutation test" in page.text
    assert "AttENT − Source only" in labels


def test_seeds_of_one_method_are_told_apart(report, make_evaluation):
    page = report(make_evaluation(seed=1), make_evaluation(seed=2))
    labels = [text for attributes, text in page.find("th") if attributes.get("scope") == "row"]
    assert labels[:2] == ["AttENT, seed 1", "AttENT, seed 2"]


@pytest.mark.slow
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
    layers = json.loads(page.json("sectionmri2ct-viewer-case-0"))
    assert set(layers) == {"image", "methods"}
    assert set(layers["methods"][0]) == {"entropy", "prediction"}


def test_run_shows_curves_configuration_and_versions(report, make_evaluation, run_folder):
    page = report(make_evaluation(run_folder=run_folder))
    names = [attributes["aria-label"] for attributes, _ in page.find("svg")]
    assert "Cycle consistency over the steps: cycle_source, cycle_target" in names
    assert "Segmentation over the steps: segmentation" in names
    assert "2.21.0" in [text for _, text in page.find("td")]
    assert [text for _, text in page.find("summary") if text != "More measures"] == [
        "Keys",
        "Learning curves",
        "Evaluation",
        "Configuration",
        "Versions",
    ]


def test_configuration_in_run_json_serves_where_there_is_no_yaml(report, make_evaluation, run_folder):
    (run_folder / "config.yaml").unlink()
    (run_folder / "run.json").write_text(json.dumps({"configuration": {"method": "attent", "steps": 10}}))
    page = report(make_evaluation(run_folder=run_folder))
    assert page.find("pre")[0][1].strip() == "method: attent\nsteps: 10"


def test_missing_parts_of_a_run_are_left_out(report, make_evaluation, tmp_path):
    (tmp_path / "bare").mkdir()
    page = report(make_evaluation(run_folder=tmp_path / "bare"))
    assert not page.find("pre")
    assert len(page.find("svg")) == 2


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
    with pytest.raises(InputError, match="found no such file"):
        write_report(tmp_path / "index.html", [EvaluationForReport(tmp_path)], "Report")
    assert not (tmp_path / "index.html").exists()


@pytest.mark.slow
def test_same_evaluations_give_the_same_page(report, make_evaluation, run_folder):
    place = make_evaluation(run_folder=run_folder)
    assert report(place).text == report(place).text


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


def test_rows_of_the_paper_stand_apart_from_those_of_the_evaluation(report, make_evaluation):
    page = report(make_evaluation(direction="ct2mri"))
    rows = [text for attributes, text in page.find("th") if attributes.get("scope") == "row"]
    assert rows[:3] == ["AttENT", "Source only, paper", "AdaptSegNet, paper"]
    assert rows[8:10] == ["AttENT, paper", "Supervised, paper"]
    cells = [text.strip() for _, text in page.find("td")]
    # Table I, CT to MRI: ASSD of AttENT, as printed.
    first = cells.index("0.99")
    assert cells[first : first + 5] == ["0.99", "1.03", "1.26", "1.12", "1.10"]
    assert "do not compare them digit by digit" in page.text
    assert "paper" not in {
        attributes.get("class") for attributes, _ in report(make_evaluation(direction="a2b")).find("tr")
    }


def test_metrics_that_are_not_known_here_stand_behind_a_fold(report, make_evaluation, monkeypatch):
    place = make_evaluation()
    assert "Depth, mm" not in report(place).text
    monkeypatch.setattr(folder, "METRICS", (*folder.METRICS, "depth_mm"))
    document = json.loads((place.folder / "metrics.json").read_text())
    for organ in ORGANS:
        document["organs"][organ]["depth_mm"] = {"mean": 7.25, "std": 0.5, "n": 2, "n_undefined": 0, "n_infinite": 0}
    document["average"]["depth_mm"] = 7.25
    (place.folder / "metrics.json").write_text(json.dumps(document))
    page = report(place)
    assert page.text.index("More measures") < page.text.index("Depth, mm") < page.text.index("7.25 ± 0.50")


def test_median_and_interval_are_shown_where_the_evaluation_has_them(report, make_evaluation):
    place = make_evaluation()
    document = json.loads((place.folder / "metrics.json").read_text())
    document["organs"]["liver"]["dice"] |= {"median": 81.5, "ci95_low": 70.25, "ci95_high": 90.0}
    (place.folder / "metrics.json").write_text(json.dumps(document))
    assert {"median 81.5", "CI 70.2 to 90.0"} <= {text for _, text in report(place).find("small")}


def test_scores_without_postprocessing_have_a_row_of_their_own(report, make_case, tmp_path):
    crumbs = make_case("case-1")
    crumbs.prediction[0, 0, 0] = LIVER
    header = {"method": "attent", "direction": "mri2ct", "protocol": "volume_3d", "seed": 0}
    steps = Postprocessing(largest_component=True)
    cleaned = write_evaluation(tmp_path / "clean", ABDOMEN, header, [crumbs], postprocessing=steps)
    page = report(EvaluationForReport(cleaned.folder))
    rows = [text.strip() for _, text in page.find("th")]
    # One for each metric.
    assert rows.count("AttENT, without postprocessing") == len(cleaned.average)
    assert cleaned.unprocessed.average["dice"] < 100.0 == cleaned.average["dice"]
    assert "only the largest part that hangs together" in page.text


def test_what_went_wrong_is_listed(report, make_evaluation, make_case):
    cases = [make_case("good"), make_case("bad", missed=[SPLEEN, LIVER]), make_case("bare", reference=False)]
    place = make_evaluation(cases=cases)
    document = json.loads((place.folder / "metrics.json").read_text())
    lost = {"case": "gone", "side": "prediction", "counts_as": "an empty prediction", "problem": "gone.nii: no file"}
    document["failures"] = ["other: not a scan", lost]
    document["statistics_text"] = "Intervals were made so."
    (place.folder / "metrics.json").write_text(json.dumps(document))
    page = report(place)
    assert "Intervals were made so." in [text for _, text in page.find("p")]
    tags = [text for attributes, text in page.find("span") if attributes.get("class") == "tag"]
    assert tags == ["failed", "failed", "missed", "unlabelled"]
    listed = [text.split() for attributes, text in page.find("li") if attributes.get("class") in tags]
    assert " ".join(listed[2]) == "Liver and spleen: predicted nowhere."
    assert [" ".join(words) for words in listed[:2]] == [
        "other: not a scan.",
        "gone.nii: no file (prediction taken as an empty prediction).",
    ]
    assert "Nothing: every case" in report(make_evaluation(cases=[make_case("good")])).text
