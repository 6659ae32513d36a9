"""The benchmark that fits the estimate of Dice: which runs it takes, and what it says of them."""

import numpy as np
import pytest

from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.folder import write_evaluation
from attent_tf.signs import Sign, Signs, read_calibration
from benchmarks import calibrate_signs
from tests.support.abdomen import ABDOMEN


@pytest.fixture
def benchmark(tmp_path):
    """Evaluations whose Dice is 100 · (1 − lost) and whose sign `grey` is 1 − lost / 2: Dice = −100 + 200 · grey."""
    for place, lost in enumerate((0.0, 0.25, 0.5, 0.75, 1.0)):
        grey = Sign("grey", "", 1 - lost / 2, "red" if lost == 1 else "green", "", "")
        _write(tmp_path / f"run-{place}" / "evaluation", lost, Signs(("a",), 1, (grey,), ()).to_json())
    _write(tmp_path / "older" / "evaluation", 0.5, None)
    return tmp_path


def _write(folder, lost, signs):
    """Organs of 8 pixels each; of the prediction, a share has moved to where no reference is."""
    reference, prediction = np.zeros((2, 8, 16), np.uint8), np.zeros((2, 8, 16), np.uint8)
    for organ in range(1, 5):
        reference[0, organ, :8] = organ
        prediction[0, organ, : round(8 * (1 - lost))] = organ
        prediction[0, organ, 8 : 8 + round(8 * lost)] = organ
    header = {"method": "attent", "direction": "mri2ct", "protocol": "volume_3d", "seed": 0}
    if signs:
        header["signs"] = signs
    write_evaluation(
        folder, ABDOMEN, header, [CaseResult("a", None, None, prediction, (1.0, 1.0, 1.0), reference=reference)]
    )


def test_runs_with_signs_and_scores_are_fitted_and_the_others_named(benchmark, capsys):
    calibrate_signs.main([str(benchmark), "--inputs", "grey", "--out", str(benchmark / "calibration.json")])
    found = read_calibration(benchmark / "calibration.json")
    assert (found.intercept, found.weights[0]) == (pytest.approx(-100), pytest.approx(200))
    assert (found.mean_error, found.runs) == (pytest.approx(0, abs=1e-6), 5)
    assert (found.bad_runs, found.bad_called_good) == (3, 0)
    said = capsys.readouterr().out
    assert "Dice = -100.0 + 200.0 · grey" in said
    # Dice 50 and 25 are bad and all green.
    assert "bad runs whose signs are not red: 2 of 3" in said
    assert f"left out: {benchmark / 'older' / 'evaluation'}" in said


def test_too_few_runs_end_in_one_line(benchmark):
    with pytest.raises(SystemExit, match="Error: runs: expected at least 5 with scores and signs, found 0"):
        calibrate_signs.main([str(benchmark), "--inputs", "grey", "scale"])
