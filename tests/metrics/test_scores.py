import math

import numpy as np
import pytest

from attent_tf.errors import ConfigError, InputError
from attent_tf.metrics.overlap import dice, volume_difference_ml
from attent_tf.metrics.protocols import PROTOCOLS, find_protocol
from attent_tf.metrics.scores import METRICS, TOLERANCE_MM, score_case, score_slices
from attent_tf.metrics.summary import mean_score, summarise
from attent_tf.metrics.surface import asd, assd, hd95, surface_dice
from tests.support.abdomen import LIVER, ORGANS, SPLEEN

SPACING = (5.0, 1.5, 1.5)


def one_voxel(index, slice_, row, column, shape=(4, 6, 6)):
    labels = np.zeros(shape, np.uint8)
    labels[slice_, row, column] = index
    return labels


def test_scores_are_percent_voxels_and_millimetres():
    liver = one_voxel(LIVER, 1, 1, 1)
    liver[1, 1, 2] = LIVER
    moved = one_voxel(LIVER, 1, 1, 2)
    moved[1, 1, 3] = LIVER
    score = score_case(liver, moved, SPACING, ORGANS)["liver"]
    assert score["dice"] == pytest.approx(50.0)
    assert score["assd_voxel"] == pytest.approx((1 + 0 + 0 + 1) / 4)
    assert score["assd_mm"] == pytest.approx(1.5 * (1 + 0 + 0 + 1) / 4)


def test_every_organ_is_scored_by_its_own_index():
    reference = np.zeros((2, 4, 8), np.uint8)
    for index in range(1, 5):
        reference[0, 1:3, 2 * index - 2 : 2 * index] = index
    prediction = np.where(reference == SPLEEN, LIVER, reference)
    scores = score_case(prediction, reference, SPACING, ORGANS)
    assert list(scores) == list(ORGANS)
    assert scores["right_kidney"]["dice"] == scores["left_kidney"]["dice"] == 100.0
    assert scores["spleen"]["dice"] == 0.0
    assert scores["spleen"]["assd_mm"] == math.inf
    assert scores["liver"]["dice"] == pytest.approx(100 * 2 * 4 / (8 + 4))


def test_organ_in_neither_map_is_undefined_and_in_one_map_infinite():
    scores = score_case(one_voxel(LIVER, 0, 0, 0), np.zeros((4, 6, 6), np.uint8), SPACING, ORGANS)
    assert scores["liver"] == {
        "dice": 0.0,
        "assd_voxel": math.inf,
        "assd_mm": math.inf,
        "asd_prediction_mm": math.inf,
        "asd_reference_mm": math.inf,
        "hd95_mm": math.inf,
        "surface_dice": 0.0,
        "volume_difference_ml": pytest.approx(math.prod(SPACING) / 1000),
    }
    assert tuple(scores["liver"]) == METRICS
    assert {type(value) for organ in scores.values() for value in organ.values()} == {float}
    assert all(math.isnan(value) for value in scores["spleen"].values())


@pytest.mark.parametrize("outside", ["background", "object"])
@pytest.mark.parametrize("connectivity", [1, 2, 3])
def test_all_metrics_in_one_pass_are_the_ones_of_whole_masks(outside, connectivity):
    """Boxes around organs, also such as touch the border or lie within each other, change nothing."""
    random = np.random.default_rng(11)
    for dtype in (np.uint8, np.int64, np.float32):
        prediction, reference = (
            np.where(random.random((5, 9, 8)) < 0.6, 0, random.integers(0, 5, (5, 9, 8))) for _ in "pr"
        )
        prediction[:, :3] = reference[:, :3] = 0
        reference[0, 4:, 4:], prediction[0, 4:, 3:] = LIVER, LIVER
        scores = score_case(prediction.astype(dtype), reference.astype(dtype), SPACING, ORGANS, outside, connectivity)
        for index, organ in enumerate(ORGANS, start=1):
            masks = prediction == index, reference == index
            there, back = ((*pair, SPACING, outside, connectivity) for pair in (masks, masks[::-1]))
            assert scores[organ] == pytest.approx(
                {
                    "dice": 100 * dice(*masks),
                    "assd_voxel": assd(*masks, None, outside, connectivity),
                    "assd_mm": assd(*there),
                    "asd_prediction_mm": asd(*there),
                    "asd_reference_mm": asd(*back),
                    "hd95_mm": hd95(*there),
                    "surface_dice": 100 * surface_dice(*masks, TOLERANCE_MM, *there[2:]),
                    "volume_difference_ml": volume_difference_ml(*masks, SPACING),
                },
                abs=1e-9,
            )


def test_tolerance_of_surface_dice_can_be_chosen():
    a, b = one_voxel(LIVER, 1, 1, 1), one_voxel(LIVER, 1, 1, 4)
    assert score_case(a, b, SPACING, ORGANS, tolerance_mm=4.4)["liver"]["surface_dice"] == 0.0
    assert score_case(a, b, SPACING, ORGANS, tolerance_mm=4.5)["liver"]["surface_dice"] == 100.0


def test_unknown_class_and_wrong_rank_are_refused():
    good = np.zeros((2, 3, 3), np.uint8)
    with pytest.raises(InputError, match="prediction: expected class indices 0 to 4, found 9"):
        score_case(np.full((2, 3, 3), 9), good, SPACING, ORGANS)
    with pytest.raises(InputError, match="prediction: expected class indices 0 to 4, found 5"):
        score_case(np.full((2, 3, 3), 5), good, SPACING, ORGANS)
    with pytest.raises(InputError, match="reference: expected class indices"):
        score_case(good, good[0], SPACING, ORGANS)
    with pytest.raises(InputError, match=r"expected one shape, found \(2, 3, 3\) and \(1, 3, 3\)"):
        score_case(good, good[:1], SPACING, ORGANS)
    with pytest.raises(InputError, match=r"prediction: expected class indices 0 to 4, found 0.5"):
        score_case(np.full((2, 3, 3), 0.5), good, SPACING, ORGANS)
    with pytest.raises(InputError, match=r"reference: expected class indices 0 to 4, found -1"):
        score_case(good, np.full((2, 3, 3), -1), SPACING, ORGANS)


def test_released_protocol_hides_a_missed_organ_that_the_volume_protocol_shows():
    reference = np.zeros((4, 6, 6), np.uint8)
    reference[0, 1:3, 1:3] = LIVER
    reference[1, 1:3, 1:3] = LIVER
    prediction = reference.copy()
    prediction[1] = 0
    slices = score_slices(prediction, reference, SPACING, ORGANS)
    assert [s["liver"]["dice"] for s in slices] == [100.0, 0.0, 100.0, 100.0]
    assert slices[0]["liver"]["assd_voxel"] == 0.0
    assert all(math.isnan(s["liver"]["assd_voxel"]) for s in slices[1:])
    released = mean_score(slices, ORGANS)["liver"]
    measured = {name: value for name, value in released.items() if not math.isnan(value)}
    assert measured == {"dice": 75.0, "assd_voxel": 0.0, "assd_mm": 0.0, "asd_prediction_mm": 0.0}
    volume = score_case(prediction, reference, SPACING, ORGANS)["liver"]
    assert volume["dice"] == pytest.approx(100 * 2 * 4 / 12)
    assert volume["assd_mm"] > 0


def test_released_protocol_measures_from_prediction_to_reference_only():
    reference = np.zeros((1, 3, 5), np.uint8)
    reference[0, 1, :3] = LIVER
    prediction = one_voxel(LIVER, 0, 1, 0, (1, 3, 5))
    assert score_slices(prediction, reference, SPACING, ORGANS)[0]["liver"]["assd_voxel"] == 0.0
    assert score_slices(reference, prediction, SPACING, ORGANS)[0]["liver"]["assd_voxel"] == 1.0
    assert score_slices(reference, prediction, SPACING, ORGANS)[0]["liver"]["assd_mm"] == 1.5


def test_protocols_differ_at_the_border_and_say_so():
    reference = np.zeros((3, 6, 6), np.uint8)
    reference[:, 1:4, 1:4] = LIVER
    prediction = reference.copy()
    prediction[2] = 0
    values = {
        name: mean_score(find_protocol(name).score(prediction, reference, SPACING, ORGANS), ORGANS)["liver"][
            "assd_voxel"
        ]
        for name in ("volume_3d", "volume_3d_chaos")
    }
    assert values["volume_3d"] == pytest.approx(10 / 44)
    assert values["volume_3d_chaos"] == pytest.approx(9 / 41)
    assert "medpy" in PROTOCOLS["volume_3d"].text
    assert "CHAOS" in PROTOCOLS["volume_3d_chaos"].text


def test_the_protocol_of_the_scan_leaves_voxels_undefined():
    labels = one_voxel(LIVER, 1, 1, 1)
    moved = one_voxel(LIVER, 1, 1, 2)
    (score,) = find_protocol("native_3d").score(labels, moved, SPACING, ORGANS)
    assert math.isnan(score["liver"]["assd_voxel"])
    assert score["liver"]["assd_mm"] == 1.5
    assert PROTOCOLS["native_3d"].grid == "scan"
    assert "original scan" in PROTOCOLS["native_3d"].text


def test_every_protocol_says_what_matters_in_words():
    for protocol in PROTOCOLS.values():
        assert "grid of the" in protocol.text
        assert "in neither map" in protocol.text
        assert "{" not in protocol.text


def test_unknown_protocol_suggests_the_near_name():
    with pytest.raises(ConfigError, match="did you mean 'released_2d'"):
        find_protocol("released2d")


def case_of(dice, assd, organ="liver"):
    """A case in which everything but Dice and ASSD is the same throughout."""
    same = dict.fromkeys(METRICS, 7.0)
    given = {"dice": dice, "assd_voxel": assd, "assd_mm": 2 * assd}
    other = {"dice": 90.0, "assd_voxel": 1.0, "assd_mm": 2.0}
    return {o: {**same, **(given if o == organ else other)} for o in ORGANS}


def test_means_and_deviations_by_hand():
    organs, average = summarise([case_of(80.0, 1.0), case_of(90.0, 3.0)], ORGANS, ORGANS)
    assert organs["liver"]["dice"].items() >= {"mean": 85.0, "std": 5.0, "median": 85.0, "n": 2}.items()
    assert organs["liver"]["dice"].items() >= {"n_undefined": 0, "n_infinite": 0}.items()
    assert organs["liver"]["assd_mm"]["mean"] == 4.0
    assert organs["liver"]["assd_mm"]["std"] == 2.0
    expected = {"dice": (85.0 + 3 * 90.0) / 4, "assd_voxel": (2.0 + 3) / 4, "assd_mm": (4.0 + 6) / 4}
    assert average == {**dict.fromkeys(METRICS, 7.0), **expected}


def test_a_missed_organ_never_improves_a_mean():
    good = [case_of(80.0, 5.0), case_of(90.0, 7.0)]
    organs, average = summarise(good, ORGANS, ORGANS)
    missed_organs, missed_average = summarise([*good, case_of(0.0, math.inf)], ORGANS, ORGANS)
    for metric, sign in (("dice", 1), ("assd_voxel", -1), ("assd_mm", -1)):
        assert sign * missed_organs["liver"][metric]["mean"] < sign * organs["liver"][metric]["mean"]
        assert sign * missed_average[metric] < sign * average[metric]
    infinite = missed_organs["liver"]["assd_mm"]
    assert infinite["mean"] == math.inf
    assert math.isnan(infinite["std"])
    assert (infinite["n"], infinite["n_infinite"]) == (3, 1)


def test_undefined_cases_are_left_out_and_counted():
    organs, average = summarise([case_of(80.0, 1.0), case_of(math.nan, math.nan)], ORGANS, ORGANS)
    assert organs["liver"]["dice"].items() >= {"mean": 80.0, "std": 0.0, "n": 1, "n_undefined": 1}.items()
    assert average["dice"] == (80.0 + 270.0) / 4


def test_nothing_to_summarise_is_undefined():
    organs, average = summarise([], ORGANS, ORGANS)
    assert organs["spleen"]["dice"]["n"] == 0
    assert math.isnan(organs["spleen"]["dice"]["mean"])
    assert all(math.isnan(value) for value in average.values())
