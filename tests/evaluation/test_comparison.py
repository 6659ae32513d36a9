import csv
import dataclasses
import io
import json
import math
from pathlib import Path

import pytest

from attent_tf.errors import ConfigError, InputError
from attent_tf.evaluation.case_entry import ScoredCase
from attent_tf.evaluation.comparison import AVERAGE, columns_of, compare_runs, read_runs
from attent_tf.evaluation.comparison_files import cases_csv, comparison_json, differences_csv, scores_csv
from attent_tf.evaluation.folder import Evaluation, write_evaluation
from attent_tf.files import json_bytes
from attent_tf.metrics.protocols import DEFAULT_PROTOCOL
from attent_tf.metrics.scores import METRICS
from attent_tf.reporting.forest import draw_comparison
from tests.support.abdomen import ABDOMEN, ORGANS


def _evaluation(dice_by_case, reference_ml=100.0, **header):
    """An evaluation whose organs all have the same score in a case."""
    volumes = {organ: {"prediction": 1.0, "reference": reference_ml} for organ in ORGANS}
    cases = tuple(
        ScoredCase(case, {organ: dict.fromkeys(METRICS, dice) for organ in ORGANS}, volume_ml=volumes)
        for case, dice in dice_by_case.items()
    )
    given = {"method": "any", "seed": 0, "protocol": "p", "protocol_text": "All of it.", **header}
    return Evaluation(Path("nowhere"), ABDOMEN, given, cases, {}, {})


_FIRST = {"a": 80.0, "b": 90.0, "c": 85.0}
_SECOND = {"a": 79.0, "b": 88.0, "c": 82.0}


def test_scores_and_differences_by_hand():
    comparison = compare_runs([("one", _evaluation(_FIRST)), ("two", _evaluation(_SECOND))])
    assert comparison.cases == ("a", "b", "c")
    assert comparison.runs[0].spread["liver"]["mean"] == 85.0
    assert comparison.runs[1].spread[AVERAGE]["median"] == 82.0
    assert [difference.column for difference in comparison.differences] == list(columns_of(ABDOMEN))
    liver = comparison.differences[0]
    assert (liver.first, liver.second, liver.statistics.mean_difference) == ("one", "two", 2.0)
    # All three differences have one sign; the five columns are alike and corrected together.
    assert liver.statistics.wilcoxon_p == 0.25
    assert liver.corrected["wilcoxon_p"] == 1.0
    assert liver.corrected["sign_flip_p"] == min(1.0, 5 * liver.statistics.sign_flip_p)


def test_every_pair_or_the_first_against_each():
    entries = [(name, _evaluation(_FIRST)) for name in "xyz"]

    def pairs(comparison):
        return list(dict.fromkeys((difference.first, difference.second) for difference in comparison.differences))

    assert pairs(compare_runs(entries)) == [("x", "y"), ("x", "z"), ("y", "z")]
    assert pairs(compare_runs(entries, against_first=True)) == [("x", "y"), ("x", "z")]


def test_order_of_cases_in_the_folders_does_not_matter():
    reverse = dict(reversed(list(_SECOND.items())))
    entries = [("one", _evaluation(_FIRST)), ("two", _evaluation(_SECOND))]
    turned = [("one", _evaluation(_FIRST)), ("two", _evaluation(reverse))]
    assert json_bytes(comparison_json(compare_runs(entries))) == json_bytes(comparison_json(compare_runs(turned)))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (_evaluation(_SECOND, protocol="q"), r"two: expected the protocol of one \(p\), found q"),
        (
            _evaluation(_SECOND, protocol_text="Largest parts."),
            "two: expected the wording of the protocol of one, found",
        ),
        (_evaluation(_SECOND, organs_compared=["liver"]), "two: expected the structures of one"),
        (_evaluation({"a": 1.0, "b": 1.0}), "two: expected the same scored cases .* case c is not in all"),
        (_evaluation({**_SECOND, "d": 1.0, "e": 2.0}), "one: .* case d and 1 more are not in all; .*--common-cases"),
        (_evaluation({"x": 1.0}), "expected cases that one was scored on, found none of them"),
        (
            _evaluation(_SECOND, reference_ml=100.1),
            r"references of one \(case a, liver: 100.000 mL\), found 100.100 mL",
        ),
    ],
)
def test_runs_that_cannot_be_compared_are_refused_in_one_line(other, message):
    with pytest.raises(InputError, match=message) as error:
        compare_runs([("one", _evaluation(_FIRST)), ("two", other)])
    assert len(str(error.value).splitlines()) == 1


def test_common_cases_are_compared_when_asked_for():
    entries = [("one", _evaluation(_FIRST)), ("two", _evaluation({"b": 80.0, "c": 85.0, "d": 10.0}))]
    comparison = compare_runs(entries, common_cases=True)
    assert (comparison.cases, comparison.left_out) == (("b", "c"), ("a", "d"))
    assert comparison.runs[1].spread["liver"]["mean"] == 82.5


def test_unlabelled_cases_do_not_count():
    second = _evaluation({**_SECOND, "d": math.nan})
    *labelled, last = second.cases
    second = dataclasses.replace(second, cases=(*labelled, dataclasses.replace(last, labelled=False)))
    assert compare_runs([("one", _evaluation(_FIRST)), ("two", second)]).cases == ("a", "b", "c")


def test_one_run_and_an_unknown_metric_are_refused():
    with pytest.raises(InputError, match="at least two"):
        compare_runs([("one", _evaluation(_FIRST))])
    with pytest.raises(ConfigError, match="expected one of dice"):
        compare_runs([("one", _evaluation(_FIRST))] * 2, "dise")


def test_files_hold_every_number_and_keep_what_is_infinite_or_undefined():
    second = {**_SECOND, "a": math.inf, "b": math.nan}
    comparison = compare_runs([("one", _evaluation(_FIRST)), ("two", _evaluation(second))], METRICS[-1])
    document = json.loads(json_bytes(comparison_json(comparison)))
    assert document["runs"][1]["values"]["liver"] == ["inf", None, 82.0]
    assert document["differences"][0]["statistics"]["mean_difference"] == "-inf"
    assert document["differences"][0]["statistics"]["n_undefined"] == 1
    assert "Holm" in document["text"]
    rows = {name: list(csv.DictReader(io.StringIO(write(comparison)))) for name, write in _TABLES.items()}
    assert {name: len(found) for name, found in rows.items()} == {"scores": 10, "cases": 30, "differences": 5}
    assert rows["differences"][0]["t_p"] == ""
    assert float(rows["differences"][0]["wilcoxon_p_holm"]) == 1.0
    assert rows["scores"][5]["n_infinite"] == "1"


_TABLES = {"scores": scores_csv, "cases": cases_csv, "differences": differences_csv}


def test_the_plot_is_the_same_each_time_and_names_the_runs(tmp_path):
    second = {**_SECOND, "a": math.inf}
    comparison = compare_runs([("one", _evaluation(_FIRST)), ("two <&>", _evaluation(second))])
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        draw_comparison(comparison, tmp_path / name)
    for name in ("comparison.svg", "comparison.png"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    svg = (tmp_path / "first" / "comparison.svg").read_text()
    for text in ("one − two &lt;&amp;&gt;", "Left kidney", "Average", "1 infinite", "p 1.000"):
        assert text in svg


def test_runs_are_read_from_evaluation_and_run_folders(tmp_path, make_case):
    header = {"method": "attent", "direction": "ct2mri", "protocol": DEFAULT_PROTOCOL, "seed": 3}
    for place in ("x/run/evaluation", "x/alone"):
        write_evaluation(tmp_path / place, ABDOMEN, header, [make_case()])
    entries = read_runs([tmp_path / "x" / "run", tmp_path / "x" / "alone"])
    assert [label for label, _ in entries] == ["run", "alone"]
    write_evaluation(tmp_path / "other", ABDOMEN, {**header, "seed": 4}, [make_case()])
    assert [label for label, _ in read_runs([tmp_path / "x" / "run", tmp_path / "other"])] == [
        "attent, seed 3",
        "attent, seed 4",
    ]
    with pytest.raises(InputError, match="each evaluation once"):
        read_runs([tmp_path / "x" / "run", tmp_path / "x" / "run" / "evaluation"])
    with pytest.raises(InputError, match=r"expected an evaluation \(metrics.json\), .* found neither"):
        read_runs([tmp_path / "x", tmp_path / "other"])
