"""The label-free sign of a failed translation."""

import numpy as np
import pytest

from attent_tf.errors import RunError
from attent_tf.runs.translation_check import CHECK_FILE, check_translation, read_warning, write_check
from tests.support.abdomen import ABDOMEN

TITLES = list(ABDOMEN.titles.values())


def _labels(*counts):
    """[1, 1, pixel] labels with so many pixels of background, liver, right kidney, left kidney and spleen."""
    return np.repeat(np.arange(5, dtype=np.uint8), counts)[None, None]


SOURCE = _labels(500, 760, 80, 80, 80)


def test_equal_shares_are_silent_whatever_the_scan_shows_beside_them():
    found = _labels(9000, 76, 8, 8, 8)
    check = check_translation(SOURCE, found, found, TITLES)
    assert check.distance == pytest.approx(0.0)
    assert check.agreement == 1.0
    assert check.warning is None
    assert check.source == check.predicted == pytest.approx((0.76, 0.08, 0.08, 0.08))


def test_the_distance_is_half_of_the_summed_differences():
    found = _labels(0, 710, 80, 130, 80)
    check = check_translation(SOURCE, found, found, TITLES)
    assert check.distance == pytest.approx((0.05 + 0.0 + 0.05 + 0.0) / 2)
    assert check.warning is None


def test_another_composition_is_a_warning_that_names_the_organ():
    found = _labels(900, 10, 20, 50, 20)
    check = check_translation(SOURCE, found, found, TITLES)
    assert check.distance == pytest.approx((0.66 + 0.12 + 0.42 + 0.12) / 2)
    assert (
        "likely failed: of the labelled pixels in translated slices 10% are liver, in source labels 76%;"
        in check.warning
    )


def test_another_way_around_that_changes_organs_is_a_warning():
    found = np.repeat(np.array([0, 1, 2, 3, 4], np.uint8), [500, 760, 80, 80, 80])
    again = found.copy()
    again[500:880] = 0
    check = check_translation(SOURCE, found[None, None], again[None, None], TITLES)
    # Half of the liver is gone, so its Dice is 2 · 380 / (760 + 380); the others are the same.
    assert check.agreement == pytest.approx((2 / 3 + 3) / 4)
    assert check.distance == pytest.approx(0.0)
    assert check.warning is None
    again[500:] = 0
    assert (
        "changes what is segmented (Dice between the two 0%)"
        in check_translation(SOURCE, found[None, None], again[None, None], TITLES).warning
    )


def test_an_organ_that_one_of_both_shows_counts_as_disagreement():
    found, again = _labels(9, 8, 1, 1, 0), _labels(9, 8, 1, 0, 1)
    assert check_translation(SOURCE, found, again, TITLES).agreement == pytest.approx((1 + 1 + 0 + 0) / 4)


def test_no_organ_at_all_is_a_warning():
    nothing = _labels(900, 0, 0, 0, 0)
    check = check_translation(SOURCE, nothing, nothing, TITLES)
    assert (check.predicted, check.distance, check.agreement) == (None, 1.0, 0.0)
    assert "no structure was found" in check.warning


def test_shares_are_of_as_many_structures_as_there_are_titles():
    source, found = (np.array([[[0, *labels]]], np.uint8) for labels in ([1, 1, 1, 2], [1, 2, 2, 2]))
    check = check_translation(source, found, found, ["Bright one", "Dark one"])
    assert (check.source, check.predicted, check.distance) == ((0.75, 0.25), (0.25, 0.75), 0.5)
    assert "of the labelled pixels in translated slices 25% are bright one, in source labels 75%" in check.warning


def test_a_source_without_organs_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="must show a structure"):
        check_translation(_labels(5, 0, 0, 0, 0), SOURCE, SOURCE, TITLES)


def test_the_warning_is_kept_in_the_run_folder(tmp_path):
    assert read_warning(tmp_path) is None
    write_check(tmp_path, check_translation(SOURCE, SOURCE, SOURCE, TITLES))
    assert read_warning(tmp_path) is None
    found = _labels(900, 10, 20, 50, 20)
    failed = check_translation(SOURCE, found, found, TITLES)
    write_check(tmp_path, failed)
    assert read_warning(tmp_path) == failed.warning
    (tmp_path / CHECK_FILE).write_text("[")
    with pytest.raises(RunError, match="expected the check of a translation"):
        read_warning(tmp_path)
