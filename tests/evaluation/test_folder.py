import csv
import dataclasses
import io
import json
import math
import weakref
import zipfile

import numpy as np
import pytest

from attent_tf.errors import ConfigError, InputError
from attent_tf.evaluation.case_result import LabelMaps
from attent_tf.evaluation.folder import read_evaluation, write_evaluation
from attent_tf.evaluation.header import EvaluationHeader
from attent_tf.metrics.scores import METRICS, score_case
from attent_tf.postprocessing import Postprocessing
from tests.support.abdomen import ABDOMEN, ORGANS, SPLEEN

HEADER = {"method": "attent", "direction": "ct2mri", "protocol": "volume_3d", "seed": 3}


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def folder_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_metrics_json_holds_what_the_contract_says(tmp_path, make_case):
    header = {**HEADER, "warnings": ["translation may have failed"], "selection": "last step"}
    write_evaluation(tmp_path / "e", ABDOMEN, header, [make_case("chaos-1"), make_case("chaos-13", missed=[SPLEEN])])
    document = strict((tmp_path / "e" / "metrics.json").read_text())
    assert {key: document[key] for key in header} == header
    assert "Eq. 10" in document["protocol_text"]
    assert [case["case"] for case in document["cases"]] == ["chaos-1", "chaos-13"]
    distances = ("assd_voxel", "assd_mm", "asd_prediction_mm", "asd_reference_mm", "hd95_mm")
    # The spleen is a box of 2 slices, 5 rows and 3 columns.
    lost = {
        "dice": 0.0,
        "surface_dice": 0.0,
        "volume_difference_ml": pytest.approx(-2 * 5 * 3 * 5.0 * 1.5 * 1.5 / 1000),
    }
    assert document["cases"][1]["spleen"] == {**dict.fromkeys(distances, "inf"), **lost}
    assert document["postprocessing"] == {"largest_component": False, "fill_holes": False}
    assert "without_postprocessing" not in document
    assert document["organs"]["spleen"]["dice"]["mean"] == 50.0
    assert document["organs"]["spleen"]["assd_mm"]["mean"] == "inf"
    assert document["organs"]["spleen"]["assd_mm"]["n_infinite"] == 1
    assert tuple(document["average"]) == METRICS
    assert (document["average"]["dice"], document["average"]["assd_mm"]) == (87.5, "inf")


def test_the_header_has_the_keys_of_its_type_and_all_others_that_were_given(tmp_path, make_case):
    given = {**HEADER, "config": "demo", "warnings": [], "own": {"x": 1}}
    evaluation = write_evaluation(tmp_path / "e", ABDOMEN, given, [make_case()], postprocessing=Postprocessing(True))
    document = strict((tmp_path / "e" / "metrics.json").read_text())
    own = ("protocol_text", "scored_unit", "statistics_text", "organs_compared", "postprocessing")
    scores = ("average", "average_ci95", "organs", "without_postprocessing", "failures", "cases")
    assert list(document) == ["task", *HEADER, *own, "config", "warnings", "own", *scores]
    assert evaluation.header.keys() == {*HEADER, *own, "config", "warnings", "own", "failures"}
    assert evaluation.header.keys() - {"own"} <= EvaluationHeader.__required_keys__ | EvaluationHeader.__optional_keys__


def test_reading_gives_back_the_scores(tmp_path, make_case):
    case = make_case(missed=[SPLEEN])
    written = write_evaluation(tmp_path / "e", ABDOMEN, HEADER, iter([case]))
    read = read_evaluation(tmp_path / "e")
    expected = score_case(case.prediction, case.reference, case.spacing_mm, ORGANS)
    assert read.cases[0].scores == expected
    assert read.average == written.average
    assert read.average["assd_mm"] == math.inf
    assert read.header["seed"] == 3


def test_pictures_survive_up_to_their_quantisation(tmp_path, make_case):
    case = make_case()
    pictures = write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [case]).pictures(case.case)
    assert {pictures[name].dtype for name in ("image", "translated", "entropy", "prediction")} == {np.dtype(np.uint8)}
    assert np.abs(pictures["image"] / 127.5 - 1.0 - case.image).max() <= 1 / 255 + 1e-6
    assert np.abs(pictures["translated"] / 127.5 - 1.0 - case.translated).max() <= 1 / 255 + 1e-6
    assert np.abs(pictures["entropy"] / 255.0 - case.entropy).max() <= 0.5 / 255 + 1e-6
    np.testing.assert_array_equal(pictures["prediction"], case.prediction)
    np.testing.assert_array_equal(pictures["reference"], case.reference)
    np.testing.assert_array_equal(pictures["spacing_mm"], case.spacing_mm)


def test_cases_csv_has_one_row_a_case_and_organ(tmp_path, make_case):
    write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [make_case("a"), make_case("b", missed=[SPLEEN])])
    rows = list(csv.DictReader(io.StringIO((tmp_path / "e" / "cases.csv").read_text())))
    assert [(row["case"], row["organ"]) for row in rows] == [(c, o) for c in "ab" for o in ORGANS]
    assert (rows[0]["dice"], rows[-1]["dice"], rows[-1]["assd_mm"]) == ("100.0", "0.0", "inf")
    # Each organ is a box of 2 slices, 5 rows and 3 columns.
    assert float(rows[0]["reference_ml"]) == pytest.approx(2 * 5 * 3 * 5.0 * 1.5 * 1.5 / 1000)
    assert float(rows[-1]["prediction_ml"]) == 0.0


def test_cases_without_labels_are_listed_without_scores(tmp_path, make_case):
    evaluation = write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [make_case(reference=False, translated=False)])
    document = strict((tmp_path / "e" / "metrics.json").read_text())
    assert document["cases"][0]["liver"] == dict.fromkeys(METRICS)
    assert document["cases"][0]["labelled"] is False
    assert document["average"] == dict.fromkeys(METRICS)
    assert document["organs"]["liver"]["dice"]["n"] == 0
    assert set(evaluation.pictures("chaos-1")) == {"image", "entropy", "prediction", "spacing_mm"}
    assert document["cases"][0]["volume_ml"]["liver"]["prediction"] > 0
    assert math.isnan(evaluation.cases[0].scores["liver"]["dice"])


def test_slices_are_pooled_over_cases_by_the_released_protocol(tmp_path, make_case):
    header = {**HEADER, "protocol": "released_2d"}
    evaluation = write_evaluation(tmp_path / "e", ABDOMEN, header, [make_case("a"), make_case("b", missed=[SPLEEN])])
    assert evaluation.header["scored_unit"] == "slice"
    assert evaluation.structures["spleen"]["dice"]["n"] == 8
    assert evaluation.structures["spleen"]["dice"]["mean"] == pytest.approx(100 * 6 / 8)
    assert evaluation.cases[1].scores["spleen"]["dice"] == pytest.approx(50.0)


def test_scores_on_the_scan_beside_pictures_on_the_records(tmp_path, make_case):
    case = make_case()
    shifted = np.roll(case.reference, 1, axis=2)
    finer = [np.repeat(np.repeat(labels, 2, axis=1), 2, axis=2) for labels in (shifted, case.reference)]
    scan = LabelMaps(finer[0], (5.0, 0.75, 0.75), finer[1])
    header = {**HEADER, "protocol": "native_3d"}
    evaluation = write_evaluation(tmp_path / "e", ABDOMEN, header, [dataclasses.replace(case, on_scan=scan)])
    (entry,) = evaluation.cases
    assert entry.spacing_mm == (5.0, 0.75, 0.75)
    expected = score_case(finer[0], finer[1], scan.spacing_mm, ORGANS)["liver"]
    assert entry.scores["liver"] == pytest.approx({**expected, "assd_voxel": math.nan}, nan_ok=True)
    assert entry.scores["liver"]["dice"] < 100.0
    assert entry.volume_ml["liver"]["reference"] == pytest.approx(2 * 5 * 3 * 5.0 * 1.5 * 1.5 / 1000)
    assert evaluation.average["assd_mm"] == pytest.approx(expected["assd_mm"])
    assert math.isnan(evaluation.average["assd_voxel"])
    np.testing.assert_array_equal(evaluation.pictures(case.case)["prediction"], case.prediction)
    with pytest.raises(ConfigError, match="case chaos-1: expected label maps on the grid of the scan"):
        write_evaluation(tmp_path / "f", ABDOMEN, header, [case])


def test_postprocessing_is_applied_and_named(tmp_path, make_case):
    case = make_case()
    speck = case.prediction.copy()
    speck[3, 15, 19] = SPLEEN
    case = dataclasses.replace(case, prediction=speck)
    plain = write_evaluation(tmp_path / "plain", ABDOMEN, HEADER, [case])
    cleaned = write_evaluation(tmp_path / "cleaned", ABDOMEN, HEADER, [case], postprocessing=Postprocessing(True))
    assert plain.cases[0].scores["spleen"]["dice"] < cleaned.cases[0].scores["spleen"]["dice"] == 100.0
    assert cleaned.header["postprocessing"] == {"largest_component": True, "fill_holes": False}
    assert "largest part" in cleaned.header["protocol_text"]
    assert "largest part" not in plain.header["protocol_text"]
    assert cleaned.pictures(case.case)["prediction"][3, 15, 19] == 0
    assert case.prediction[3, 15, 19] == SPLEEN
    assert plain.unprocessed is None
    without = cleaned.unprocessed
    assert (without.structures, without.average) == (plain.structures, plain.average)
    assert without.average_ci95 == plain.average_ci95
    assert without.average["dice"] < cleaned.average["dice"]


def test_same_results_give_the_same_bytes(tmp_path, make_case):
    write_evaluation(tmp_path / "first", ABDOMEN, HEADER, [make_case()])
    write_evaluation(tmp_path / "second", ABDOMEN, HEADER, [make_case()])
    with zipfile.ZipFile(tmp_path / "first" / "cases" / "chaos-1.npz") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert folder_bytes(tmp_path / "first") == folder_bytes(tmp_path / "second")


def test_a_failure_on_the_way_leaves_nothing(tmp_path, make_case):
    def cases():
        yield make_case("a")
        raise InputError("the second case is damaged")

    with pytest.raises(InputError, match="second case"):
        write_evaluation(tmp_path / "e", ABDOMEN, HEADER, cases())
    assert list(tmp_path.iterdir()) == []


def test_an_iterator_is_read_with_one_case_alive(tmp_path, make_case):
    alive = []

    def cases():
        for name in ("a", "b", "c"):
            assert sum(reference() is not None for reference in alive) == 0
            case = make_case(name)
            alive.append(weakref.ref(case.image))
            yield case
            del case

    write_evaluation(tmp_path / "e", ABDOMEN, HEADER, cases())
    assert len(alive) == 3


def test_existing_evaluation_is_kept_unless_told(tmp_path, make_case):
    write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [make_case("a")])
    with pytest.raises(InputError, match="does not exist yet"):
        write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [make_case("b")])
    assert read_evaluation(tmp_path / "e").cases[0].case == "a"
    write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [make_case("b")], overwrite=True)
    assert read_evaluation(tmp_path / "e").cases[0].case == "b"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": "volume_3"}, "did you mean 'volume_3d'"),
        ({"cases": []}, "the key 'cases' is reserved"),
        ({"seed": None}, "the key 'seed'"),
    ],
)
def test_wrong_headers_are_refused(tmp_path, make_case, change, message):
    header = {**HEADER, **change}
    if header["seed"] is None:
        del header["seed"]
    with pytest.raises(ConfigError, match=message):
        write_evaluation(tmp_path / "e", ABDOMEN, header, [make_case()])


def test_wrong_cases_are_refused(tmp_path, make_case):
    good = make_case()
    wrong = {
        "expected a name without": make_case("../outside"),
        "expected entropy as": type(good)(**{**vars(good), "entropy": good.entropy[1:]}),
        "prediction: expected class indices": type(good)(**{**vars(good), "prediction": good.prediction + 9}),
    }
    for message, case in wrong.items():
        with pytest.raises(InputError, match=message):
            write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [case])
    with pytest.raises(InputError, match="each case once, found it twice"):
        write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [good, good])
    with pytest.raises(InputError, match="at least one case"):
        write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cases": 3}', '{"cases": [{}], "organs": {}, "average": {}}'])
def test_damaged_metrics_are_one_line(tmp_path, content):
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(InputError, match=r"metrics\.json: expected the scores of an evaluation"):
        read_evaluation(tmp_path)


def test_a_case_that_is_damaged_or_of_an_early_version(tmp_path, make_case):
    write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [make_case()])
    path = tmp_path / "e" / "metrics.json"
    document = json.loads(path.read_text())
    (case,) = document["cases"]
    early = {key: value for key, value in case.items() if key not in ("labelled", "states", "volume_ml")}
    path.write_text(json.dumps({**document, "cases": [early]}))
    (found,) = read_evaluation(tmp_path / "e").cases
    assert (found.labelled, found.states, found.volume_ml) == (True, None, {})
    for change, line in (
        ({"liver": {"dice": "high"}}, "cases: entry 0: scores: liver: dice: expected a number, found 'high'"),
        ({"slices": None}, "cases: entry 0: slices: expected a whole number, found None"),
        ({"case": 3}, "cases: entry 0: case: expected text, found 3"),
    ):
        path.write_text(json.dumps({**document, "cases": [{**case, **change}]}))
        with pytest.raises(InputError, match=rf"metrics\.json: {line}; evaluate again"):
            read_evaluation(tmp_path / "e")
    del case["spleen"]
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"entry 0: expected scores of liver, .*; spleen is missing; evaluate again"):
        read_evaluation(tmp_path / "e")


def test_missing_parts_are_named(tmp_path, make_case):
    with pytest.raises(InputError, match="found no such file"):
        read_evaluation(tmp_path)
    evaluation = write_evaluation(tmp_path / "e", ABDOMEN, HEADER, [make_case()])
    (tmp_path / "e" / "cases" / "chaos-1.npz").write_bytes(b"PK not really")
    with pytest.raises(InputError, match=r"chaos-1\.npz: expected the pictures"):
        evaluation.pictures("chaos-1")
