"""The tables of a benchmark say what the runs scored: numbers worked out by hand."""

import dataclasses
import math
from pathlib import Path

import pytest

from attent_tf.benchmarking import benchmark_tables, plan_runs
from attent_tf.benchmarking.tables import spread
from attent_tf.benchmarking.text import as_json, as_markdown
from attent_tf.configs import Config
from attent_tf.errors import ConfigError
from attent_tf.evaluation.case_entry import ScoredCase
from attent_tf.evaluation.folder import Evaluation
from attent_tf.files import json_bytes
from attent_tf.methods import METHODS
from attent_tf.reporting.published import ASSD_VOXEL, DICE_PERCENT, P_VALUES, PAIRS
from attent_tf.tasks import load_task
from tests.support.abdomen import ABDOMEN
from tests.support.amos_task import AMOS


def _evaluation(dice_by_case, assd=1.0, warnings=(), task=ABDOMEN):
    """An evaluation whose organs all have the same Dice in a case."""
    cases = tuple(
        ScoredCase(case, {organ: {"dice": dice, "assd_voxel": assd, "assd_mm": assd} for organ in task.structure_names})
        for case, dice in dice_by_case.items()
    )
    mean = sum(dice_by_case.values()) / len(dice_by_case)
    average = {"dice": mean, "assd_voxel": assd, "assd_mm": assd}
    organs = {organ: {measure: {"mean": value} for measure, value in average.items()} for organ in task.structure_names}
    return Evaluation(Path("nowhere"), task, {"protocol": "any", "warnings": list(warnings)}, cases, organs, average)


def test_means_and_deviations_run_over_seeds():
    by_seed = {0: _evaluation({"a": 80.0, "b": 90.0}), 1: _evaluation({"a": 84.0, "b": 90.0})}
    (row,) = benchmark_tables({"attent": by_seed}).rows
    average = row.scores["dice"]["average"]
    # Means of the seeds are 85 and 87.
    assert (average.mean, average.n) == (86.0, 2)
    assert average.std == pytest.approx(math.sqrt(2.0))
    assert row.dice_by_seed == {0: 85.0, 1: 87.0}


def test_pairs_are_cases_averaged_over_the_seeds_that_both_methods_have():
    tables = benchmark_tables(
        {
            "entropy": {0: _evaluation({"a": 60.0, "b": 70.0}), 5: _evaluation({"a": 0.0, "b": 0.0})},
            "attent": {0: _evaluation({"a": 80.0, "b": 80.0})},
        }
    )
    (comparison,) = tables.comparisons
    assert (comparison.first, comparison.second) == ("entropy", "attent")
    assert (comparison.test.n, comparison.test.mean_difference) == (2, -15.0)
    # Two pairs with one sign: two of four patterns of signs are as extreme.
    assert comparison.test.p_value == comparison.corrected == 0.5


def test_scores_without_postprocessing_have_a_row_of_their_own():
    clean, plain = _evaluation({"a": 80.0}), _evaluation({"a": 71.5}, assd=3.25)
    table = benchmark_tables(
        {"attent": {0: dataclasses.replace(clean, unprocessed=plain)}, "source_only": {0: _evaluation({"a": 30.0})}}
    )
    dice, assd, _ = as_markdown(ABDOMEN, {"mri2ct": table}, "demo").split("### ")[1:4]
    assert "| AttENT | 1 | 80.0 |" in dice
    assert "| AttENT, without postprocessing | 1 | 71.5 |" in dice
    assert "| AttENT, without postprocessing | 1 | 3.25 |" in assd
    assert dice.count("without postprocessing") == 1
    assert table.rows[1].unprocessed is None


def test_an_inverted_translation_is_named_by_its_seed():
    tables = benchmark_tables(
        {
            "source_only": {0: _evaluation({"a": 30.0}), 1: _evaluation({"a": 30.0})},
            "attent": {0: _evaluation({"a": 80.0}), 1: _evaluation({"a": 12.0})},
        }
    )
    assert tables.inverted_seeds == (1,)
    assert "(an inverted translation): 1." in as_markdown(ABDOMEN, {"mri2ct": tables}, "demo")


def test_warnings_are_told_with_the_run_that_they_are_of():
    good, failed = _evaluation({"a": 80.0}), _evaluation({"a": 12.0}, warnings=["The translation has likely failed."])
    text = as_markdown(
        ABDOMEN, {"mri2ct": benchmark_tables({"pixel": {0: good}, "attent": {0: good, 3: failed}})}, "demo"
    )
    assert "\n  - AttENT, seed 3: The translation has likely failed.\n" in text
    assert text.count("likely failed") == 1
    assert "was read: none." in as_markdown(ABDOMEN, {"mri2ct": benchmark_tables({"pixel": {0: good}})}, "demo")


def test_a_missed_organ_stays_infinite_and_is_counted():
    value = spread([1.0, math.inf, math.nan])
    assert (value.mean, value.n, value.n_infinite) == (math.inf, 2, 1)
    assert math.isnan(value.std)
    by_seed = {0: _evaluation({"a": 10.0}, assd=math.inf)}
    assert "∞ (1 of 1)" in as_markdown(ABDOMEN, {"mri2ct": benchmark_tables({"source_only": by_seed})}, "demo")


def test_the_json_is_strict_and_holds_what_the_text_says():
    tables = {"ct2mri": benchmark_tables({"attent": {0: _evaluation({"a": 81.5}, assd=math.inf)}})}
    content = as_json(ABDOMEN, tables, Config())
    assert b"Infinity" not in json_bytes(content)
    assert content["directions"]["ct2mri"]["rows"][0]["scores"]["dice"]["average"]["mean"] == 81.5
    assert "| AttENT | 1 | 81.5 |" in as_markdown(ABDOMEN, tables, "demo")


def test_another_task_has_its_own_columns_and_no_numbers_of_the_paper():
    scores = {method: {0: _evaluation({"a": 80.0, "b": 60.0}, task=AMOS)} for method in ("entropy", "attent")}
    text = as_markdown(AMOS, {"t12t2": benchmark_tables(scores)}, "demo")
    assert "## T1-weighted MRI → T2-weighted MRI" in text
    assert f"| Method | Seeds | {' | '.join(AMOS.titles.values())} | Average |" in text
    assert "| Pair | Difference | Cases | p | p, corrected | Least p |\n" in text
    assert "aper" not in text
    assert as_json(AMOS, {}, Config())["task"]["name"] == "amos"


def test_the_papers_numbers_stand_beside_its_own_task_alone():
    scores = {"attent": {0: _evaluation({"a": 80.0})}}
    for task, expected in ((ABDOMEN, 2), (dataclasses.replace(ABDOMEN, name="other"), 0)):
        text = as_markdown(task, {"ct2mri": benchmark_tables(scores)}, "demo")
        assert text.count("Paper, Table I:") == expected
        assert text.count("Paper, Table II:") == expected // 2


@pytest.mark.parametrize("table", [DICE_PERCENT, ASSD_VOXEL], ids=["dice", "assd"])
def test_the_papers_averages_follow_from_its_organs(table):
    for rows in table.values():
        for method, (*organs, average) in rows.items():
            assert method in METHODS
            # The paper rounds to one or two digits; one average of its own is off by a little more.
            assert sum(organs) / 4 == pytest.approx(average, abs=0.11), method


def test_every_published_pair_has_a_p_value_in_both_directions():
    assert {direction: len(values) for direction, values in P_VALUES.items()} == {"mri2ct": 7, "ct2mri": 7}
    assert len(set(PAIRS)) == 7


def test_the_plan_goes_seed_by_seed_and_shares_translators_of_one_kind():
    plan = plan_runs(load_task(), ["source_only", "cyclegan", "pixel", "attent"], ["mri2ct"], [0, 1])
    assert [(run.seed, run.method, run.donor) for run in plan[:4]] == [
        (0, "source_only", None),
        (0, "cyclegan", None),
        (0, "pixel", None),
        (0, "attent", Path("runs/mri2ct/pixel/seed-0")),
    ]
    assert [run.seed for run in plan] == [0] * 4 + [1] * 4
    assert plan[3].folder == Path("runs/mri2ct/attent/seed-0")


def test_a_translator_is_trained_once_for_both_directions():
    plan = plan_runs(load_task(), ["pixel", "attent"], ["mri2ct", "ct2mri"], [0, 1])
    trained = Path("runs/mri2ct/pixel/seed-0")
    assert [run.donor for run in plan[:4]] == [None, trained, trained, trained]
    assert plan[4].donor is None


def test_an_unknown_method_or_direction_is_a_line():
    with pytest.raises(ConfigError, match="did you mean 'attent'"):
        plan_runs(load_task(), ["atent"], ["mri2ct"], [0])
    with pytest.raises(ConfigError, match="unknown direction"):
        plan_runs(load_task(), ["attent"], ["ct2ct"], [0])
