"""The estimate of Dice: what is fitted, how it is measured, and when there is none."""

import dataclasses
import json

import numpy as np
import pytest

from attent_tf.errors import InputError
from attent_tf.files import write_json
from attent_tf.signs import Sign, Signs, find_calibration, fit_calibration, read_calibration, with_estimate
from attent_tf.signs.estimate import calibration_to_json, predict_left_out

GREY = np.array([[0.2], [0.4], [0.6], [0.8], [1.0]])
DICE = 10 + 80 * GREY[:, 0]


def _signs(**values):
    signs = tuple(Sign(name, name, value, "green", "", "") for name, value in values.items())
    return Signs(("a",), 1, signs, ())


def _write(path, calibration):
    write_json(path, calibration_to_json(calibration))
    return path


def test_a_line_is_found_again():
    found = fit_calibration(["grey"], GREY, DICE)
    assert (found.intercept, found.weights[0]) == (pytest.approx(10), pytest.approx(80))
    assert found.mean_error == pytest.approx(0, abs=1e-9)
    assert (found.runs, found.bad_runs, found.bad_called_good) == (5, 3, 0)


def test_a_plane_through_two_signs_is_found_again():
    values = np.array([[0.2, 0.9], [0.4, 0.1], [0.6, 0.5], [0.8, 0.8], [1.0, 0.3]])
    found = fit_calibration(["grey", "scale"], values, 5 + 40 * values[:, 0] + 30 * values[:, 1])
    assert (found.intercept, *found.weights) == pytest.approx((5, 40, 30))


def test_each_run_is_judged_by_a_line_that_has_not_seen_it():
    dice = np.array([20.0, 40, 60, 80, 0])
    left_out = predict_left_out(GREY, dice)
    # The first four lie on 100 · grey, so that for the last, which is bad, they say 100.
    assert left_out[4] == pytest.approx(100)
    found = fit_calibration(["grey"], GREY, dice)
    assert (found.bad_runs, found.bad_called_good) == (3, 1 + int(left_out[0] >= 60) + int(left_out[1] >= 60))
    assert found.mean_error == pytest.approx(np.abs(left_out - dice).mean())


def test_estimates_stay_within_0_and_100():
    found = dataclasses.replace(fit_calibration(["grey"], GREY, DICE), intercept=-50.0, weights=(300.0,))
    assert [found.estimate(_signs(grey=value)).dice for value in (0.0, 0.3, 1.0)] == [0, pytest.approx(40), 100]


def test_a_sign_that_was_left_out_leaves_no_estimate():
    assert fit_calibration(["grey"], GREY, DICE).estimate(_signs(scale=0.9)) is None


def test_too_few_runs_and_signs_that_do_not_serve_are_refused():
    with pytest.raises(InputError, match="runs: expected at least 4 with scores and signs, found 3"):
        fit_calibration(["grey"], GREY[:3], DICE[:3])
    for inputs in ([], ["shares"], ["grey", "scale", "cycle"]):
        with pytest.raises(InputError, match="inputs: expected one or two of"):
            fit_calibration(inputs, np.ones((5, len(inputs))), DICE)


def test_a_calibration_comes_back_from_its_file_and_estimates(tmp_path):
    made = fit_calibration(["grey"], GREY, DICE)
    path = _write(tmp_path / "calibration.json", made)
    assert read_calibration(path) == made
    estimate = with_estimate(_signs(grey=0.5), find_calibration(path)).estimate
    assert estimate.dice == pytest.approx(50)
    assert estimate.sentence == (
        "Estimate of the average Dice: 50 %, with a mean error of 0.0 points over 5 runs that were scored as well; "
        "of 3 runs below 60 %, 0 were estimated above."
    )
    assert (
        Signs.from_json(
            json.loads(json.dumps(with_estimate(_signs(grey=0.5), find_calibration(path)).to_json()))
        ).estimate
        == estimate
    )


def test_without_a_calibration_nothing_is_estimated():
    """None ships until one was measured."""
    signs = _signs(grey=0.5, scale=0.5)
    assert find_calibration(None) is None
    assert with_estimate(signs, None) == signs


def test_what_is_no_calibration_is_refused(tmp_path):
    path = tmp_path / "calibration.json"
    with pytest.raises(InputError, match=r"found no such file; make one with benchmarks/calibrate_signs\.py"):
        read_calibration(path)
    good = calibration_to_json(fit_calibration(["grey"], GREY, DICE))
    for content, line in (
        ([], r"expected keys such as inputs, weights, intercept, found \[\]"),
        ({}, "expected the keys inputs, weights, .*; inputs is missing"),
        ({**good, "more": 1}, "unknown key 'more'"),
        ({**good, "weights": []}, "expected as many weights as inputs, found 1 and 0"),
        ({**good, "inputs": ["shares"]}, "inputs: entry 0: expected one of paths, .*, found 'shares'"),
        ({**good, "weights": [1e999]}, "weights: entry 0: expected a finite number"),
    ):
        path.write_text(json.dumps(content))
        with pytest.raises(InputError, match=rf"calibration\.json: {line}.*; make one with benchmarks/calibrate_signs"):
            read_calibration(path)
    path.write_text("{")
    with pytest.raises(InputError, match="expected a calibration, found something else"):
        read_calibration(path)
