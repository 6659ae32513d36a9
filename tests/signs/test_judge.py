"""What makes a sign green, amber or red, by hand."""

import dataclasses
import json
import math

import numpy as np
import pytest

from attent_tf.signs import AMBER, GREEN, RED, RULES, Measured, Signs, StructureCounts, judge
from tests.support.abdomen import ORGANS
from tests.support.amos_task import AMOS

SOURCE = StructureCounts(np.array([900, 40, 20, 20, 20]), 10, 2)


def _measured(target=SOURCE, **changes):
    """Something that is all green, except for what is changed."""
    same = np.full((4, 2), (9, 18))
    values = {
        "structures": ORGANS,
        "cases": ("a", "b"),
        "slices": 8,
        "target": target,
        "islands": np.ones((2, 4)),
        "entropy": np.array([2.0, 20]),
        "overlaps": dict.fromkeys(("paths", "cycle", "grey", "scale"), same),
        "source": SOURCE,
        "source_entropy": np.array([1.0, 10]),
    }
    return Measured(**{**values, **changes})


def _sign(signs, name):
    (found,) = (sign for sign in signs.signs if sign.id == name)
    return found


def test_all_signs_of_a_good_model_are_green_and_stand_in_order():
    signs = judge(_measured())
    assert [sign.id for sign in signs.signs] == list(RULES)
    assert {sign.verdict for sign in signs.signs} == {GREEN}
    assert signs.worst == GREEN
    assert not signs.left_out


@pytest.mark.parametrize(
    ("liver", "verdict", "ratio"),
    [
        (40, GREEN, 1),
        (20, GREEN, 0.5),
        (16, AMBER, 0.4),
        (12, RED, 0.3),
        (0, RED, 0),
        (79, GREEN, 1.975),
        (130, RED, 3.25),
    ],
)
def test_a_share_is_held_against_the_sources(liver, verdict, ratio):
    target = StructureCounts(np.array([940 - liver, liver, 20, 20, 20]), 10, 2)
    sign = _sign(judge(_measured(target)), "shares")
    assert sign.verdict == verdict
    assert sign.organs == pytest.approx({"liver": ratio, "right_kidney": 1, "left_kidney": 1, "spleen": 1})
    assert sign.value == pytest.approx(ratio)


def test_the_worst_organ_is_the_one_that_is_off_by_the_largest_factor():
    target = StructureCounts(np.array([1000 - 132, 70, 20, 20, 8]), 10, 2)
    sign = _sign(judge(_measured(target)), "shares")
    # 0.4 is farther off than 1.75 is.
    assert (sign.value, sign.verdict) == (pytest.approx(8 * 1000 / 986 / 20), AMBER)


@pytest.mark.parametrize(("empty", "verdict"), [(2, GREEN), (0, GREEN), (4, GREEN), (5, AMBER), (7, RED)])
def test_empty_slices_are_held_against_the_sources(empty, verdict):
    sign = _sign(judge(_measured(dataclasses.replace(SOURCE, empty=empty))), "empty")
    assert (sign.value, sign.reference, sign.verdict) == (empty / 10, 0.2, verdict)


@pytest.mark.parametrize("name", ["paths", "cycle", "grey", "scale"])
@pytest.mark.parametrize(("common", "verdict"), [(90, GREEN), (85, AMBER), (60, RED)])
def test_agreement_is_the_mean_dice(name, common, verdict):
    overlap = np.full((4, 2), (common, 200))
    sign = _sign(judge(_measured(overlaps={name: overlap})), name)
    assert (sign.value, sign.verdict) == (pytest.approx(common / 100), verdict)


@pytest.mark.parametrize(("target", "verdict"), [(1.0, GREEN), (2.9, GREEN), (5.0, AMBER), (7.0, RED)])
def test_entropy_is_held_against_the_sources(target, verdict):
    sign = _sign(judge(_measured(entropy=np.array([target, 20]))), "entropy")
    assert (sign.value, sign.reference, sign.verdict) == (pytest.approx(target / 20), 0.1, verdict)


def test_islands_are_a_mean_over_the_cases_that_show_the_organ():
    islands = np.array([[1, 0.9, np.nan, np.nan], [0.5, 0.9, 0.95, np.nan]])
    sign = _sign(judge(_measured(islands=islands)), "islands")
    assert sign.organs == {
        "liver": 0.75,
        "right_kidney": pytest.approx(0.9),
        "left_kidney": pytest.approx(0.95),
        "spleen": None,
    }
    assert (sign.value, sign.verdict) == (0.75, AMBER)


def test_a_model_that_finds_nothing_is_red_and_has_no_islands_and_no_entropy():
    nothing = StructureCounts(np.array([1000, 0, 0, 0, 0]), 10, 10)
    signs = judge(_measured(nothing, islands=np.full((2, 4), np.nan), entropy=np.zeros(2)))
    assert _sign(signs, "shares").verdict == _sign(signs, "empty").verdict == signs.worst == RED
    assert [(sign.id, sign.reason) for sign in signs.left_out] == [
        ("entropy", "no structure is predicted"),
        ("islands", "no structure is predicted"),
    ]


def test_what_does_not_apply_is_left_out_with_the_reason():
    reasons = {"shares": "no source", "empty": "no source", "entropy": "no source", "cycle": "no translators"}
    overlaps = dict.fromkeys(("paths", "grey", "scale"), np.full((4, 2), (9, 18)))
    signs = judge(_measured(source=None, source_entropy=None, overlaps=overlaps, reasons=reasons))
    assert {sign.id: sign.reason for sign in signs.left_out} == reasons
    assert [sign.id for sign in signs.signs] == ["paths", "grey", "scale", "islands"]


def test_a_source_that_lacks_an_organ_has_no_shares():
    source = StructureCounts(np.array([1000, 40, 20, 0, 20]), 10, 2)
    assert [sign.id for sign in judge(_measured(source=source)).left_out] == ["shares"]


def _with_verdicts(*verdicts):
    signs = judge(_measured())
    taken = [dataclasses.replace(signs.signs[0], verdict=verdict) for verdict in verdicts]
    return dataclasses.replace(signs, signs=tuple(taken))


@pytest.mark.parametrize(
    ("verdicts", "together", "counted"),
    [
        ([GREEN] * 5, GREEN, "all green"),
        ([GREEN, AMBER, AMBER, AMBER, GREEN], AMBER, "3 amber"),
        ([GREEN, AMBER, AMBER, AMBER, AMBER], RED, "4 amber"),
        ([GREEN, AMBER, RED, GREEN, RED], RED, "2 red, 1 amber"),
        ([], AMBER, "none was taken"),
    ],
)
def test_together_four_amber_signs_are_as_bad_as_a_red_one(verdicts, together, counted):
    signs = _with_verdicts(*verdicts)
    assert (signs.verdict, signs.counted) == (together, counted)


def test_signs_come_back_from_json():
    signs = judge(_measured(StructureCounts.none(5), islands=np.full((2, 4), np.nan)))
    assert Signs.from_json(signs.to_json()) == signs
    for damaged in ({}, {**signs.to_json(), "signs": [{"id": "shares"}]}, {**signs.to_json(), "cases": None}):
        with pytest.raises(ValueError, match=r"^signs: .*expected "):
            Signs.from_json(damaged)
    content = json.loads(json.dumps(signs.to_json()))
    content["signs"][0]["value"] = "inf"
    assert Signs.from_json(content).signs[0].value == math.inf
    content["signs"][0]["verdict"] = "blue"
    with pytest.raises(ValueError, match="green, amber, red"):
        Signs.from_json(content)


def test_thresholds_stand_in_words():
    assert RULES["shares"].thresholds == "green 0.5 to 2, amber 0.33 to 3"
    assert RULES["cycle"].thresholds == "green from 0.87, amber from 0.8"
    assert RULES["entropy"].thresholds == "green up to 1.5, amber up to 3 times the source's"
    assert RULES["empty"].thresholds == "green −0.25 to 0.25, amber −0.4 to 0.4 from the source's"


def test_a_sign_of_fifteen_structures_names_the_worst_of_them():
    counts = StructureCounts(np.array([850, *[10] * 15]), 10, 2)
    islands = np.ones((1, 15))
    islands[0, 6] = 0.5
    overlaps = dict.fromkeys(("paths", "cycle", "grey", "scale"), np.full((15, 2), (9, 18)))
    measured = _measured(counts, structures=AMOS.structure_names, islands=islands, source=counts, overlaps=overlaps)
    sign = _sign(judge(measured), "islands")
    assert (sign.verdict, sign.value, sign.organs["stomach"]) == (RED, 0.5, 0.5)
    assert tuple(sign.organs) == AMOS.structure_names
