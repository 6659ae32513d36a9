"""A case whose axes are not perpendicular, in the evaluation folder."""

import numpy as np
import pytest

from attent_tf.evaluation.case_result import CaseResult
from attent_tf.evaluation.folder import write_evaluation
from attent_tf.metrics.protocols import PROTOCOLS
from tests.support.abdomen import ABDOMEN

# Steps along slices, rows and columns, each a column: slices lie 5 mm above one another, rows lead 4.8 mm back and 3.6 mm down.
TILTED = np.array([[0.0, 0, -6], [0, -4.8, 0], [5, -3.6, 0]])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_evaluation_folder_measures_a_tilted_case_in_space_and_says_so(tmp_path, protocol):
    prediction, reference = (np.zeros((12, 10, 9), np.uint8) for _ in range(2))
    by_slice = protocol == "released_2d"
    prediction[2, 2, 2] = reference[2 if by_slice else 4, 5, 2] = 1
    case = CaseResult("tilted", None, None, prediction, (5.0, 6.0, 6.0), reference=reference, axes_mm=TILTED)
    case = CaseResult(**vars(case) | {"on_scan": case.maps("records")})
    header = {"method": "m", "direction": "d", "protocol": protocol, "seed": None}
    (entry,) = write_evaluation(tmp_path / "out", ABDOMEN, header, [case]).cases
    assert entry.axes_mm == tuple(map(tuple, TILTED.tolist()))
    assert entry.spacing_mm == (5.0, 6.0, 6.0)
    assert entry.volume_ml["liver"] == {"prediction": pytest.approx(0.144), "reference": pytest.approx(0.144)}
    # Three rows within the slice; or 14.4 mm back, and two slices up less 10.8 mm.
    assert entry.scores["liver"]["assd_mm"] == pytest.approx(18 if by_slice else np.hypot(14.4, 0.8))
