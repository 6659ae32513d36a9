"""The parts of a section: what counts as a failure, how metrics are called, what box plots leave out."""

import dataclasses
import math

import pytest

from attent_tf.evaluation.folder import read_evaluation
from attent_tf.reporting.boxes import box_plot_svg, count_infinite
from attent_tf.reporting.failures import list_failures
from attent_tf.reporting.report import read_sections
from attent_tf.reporting.tables import case_cells
from attent_tf.reporting.wording import metric_digits, metric_title, number
from tests.support.abdomen import ABDOMEN, LIVER, SPLEEN


@pytest.mark.parametrize(
    ("metric", "title", "digits"),
    [
        ("dice", "Dice, %", 1),
        ("assd_voxel", "ASSD, voxel", 2),
        ("surface_dice", "Surface Dice, %", 1),
        ("mean_depth_mm", "Mean depth, mm", 2),
        ("overlap_percent", "Overlap, %", 1),
        ("mm", "Mm", 2),
    ],
)
def test_metrics_have_names_and_decimals(metric, title, digits):
    assert (metric_title(metric), metric_digits(metric)) == (title, digits)


def test_numbers_have_a_minus_that_is_no_hyphen_and_no_negative_zero():
    assert [number(value, 1) for value in (-2.25, -0.01, math.inf, math.nan)] == ["−2.2", "0.0", "∞", "–"]


def test_an_organ_that_lies_elsewhere_is_misplaced_and_not_missed(make_evaluation, make_case):
    # Organs are 18 rows tall, so 18 rows away nothing overlaps.
    place = make_evaluation(cases=[make_case("far", missed=[SPLEEN], shift=18)])
    found = list_failures([("A", read_evaluation(place.folder))])
    assert [(failure.kind, failure.structures) for failure in found] == [("missed", 1), ("misplaced", 3)]
    assert found[1].text.startswith("Liver, right kidney and left kidney: predicted elsewhere")


def test_states_that_an_evaluation_names_are_taken(make_evaluation, make_case):
    (case,) = read_evaluation(make_evaluation(cases=[make_case("one")]).folder).cases
    states = {"liver": "not compared", "spleen": "absent", "left_kidney": "spurious"}
    case = dataclasses.replace(case, states=states)
    cells = case_cells(case, ABDOMEN)
    assert [(cell.text, cell.detail, cell.state) for cell in (cells[0], cells[3])] == [
        ("–", "not compared", "undefined"),
        ("–", "in neither map", "undefined"),
    ]
    assert cells[2].state == "spurious"


def test_infinite_distances_are_counted_beside_the_box_plot(make_evaluation, make_case):
    cases = [make_case("one", missed=[SPLEEN, LIVER]), make_case("two", missed=[SPLEEN])]
    evaluation = read_evaluation(make_evaluation(cases=cases).folder)
    assert count_infinite([evaluation], "assd_mm") == 3
    assert count_infinite([evaluation], "dice") == 0
    assert "Spread" in box_plot_svg([evaluation], "assd_mm", "Spread", "here")


def test_a_metric_without_values_draws_nothing(make_evaluation):
    evaluation = read_evaluation(make_evaluation().folder)
    unscored = {organ: {"dice": math.nan} for organ in evaluation.structures}
    bare = tuple(dataclasses.replace(case, scores=unscored) for case in evaluation.cases)
    assert box_plot_svg([dataclasses.replace(evaluation, cases=bare)], "dice", "Spread", "here") == ""


def test_boxes_come_with_the_fourth_case(make_evaluation, make_case):
    def paths(count):
        cases = [make_case(f"case-{shift}", shift=shift) for shift in range(count)]
        evaluation = read_evaluation(make_evaluation(cases=cases).folder)
        return box_plot_svg([evaluation], "dice", "Spread", "here").count("<path")

    assert paths(4) > paths(3) + 4


def test_headline_says_how_much_of_the_gap_is_closed(make_evaluation, make_case):
    def of(method, shift):
        return make_evaluation(method, cases=[make_case("case-1", shift=shift)])

    # 18 rows tall: a shift of s rows leaves Dice (18 - s) / 18.
    (section,) = read_sections([of("source_only", 9), of("attent", 3), of("supervised", 0)], "here")
    assert section.headline[0] == ("Average Dice, AttENT", "83.3", "%")
    assert section.headline[-1] == ("Of the gap to supervised closed", "67", "%")
    (section,) = read_sections([of("attent", 3)], "here")
    assert [title for title, _, _ in section.headline] == ["Average Dice", "Average ASSD", "Missed structures"]
