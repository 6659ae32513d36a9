"""Two replicas, half of the batch each, give the outputs and the gradient of one device.

Batch norms take their statistics from variables here: in training each replica has its own half's, by design.
"""

import numpy as np
import pytest

from tests.conformance.calls import assert_close
from tests.conformance.catalogue import ALL, DIFFERENTIABLE, over
from tests.support.programs import run_program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What `replicas.py` wrote, by row."""
    out = tmp_path_factory.mktemp("replicas") / "results.npz"
    run_program("tests.conformance.replicas", out)
    with np.load(out) as arrays:
        return dict(arrays)


@over(ALL)
@pytest.mark.parametrize("kind", ["outputs", "gradient"])
def test_two_replicas_give_what_one_gives(row, kind, results):
    assert f"{row.name}/error" not in results, str(results[f"{row.name}/error"])
    one, two = (_list(results, f"{row.name}/{count}/{kind}/") for count in ("one", "two"))
    assert_close(two, one, rtol=1e-3 if kind == "gradient" else 1e-4)
    assert bool(one) == (kind == "outputs" or row in DIFFERENTIABLE)


def _list(results, prefix):
    return [results[f"{prefix}{i}"] for i in range(sum(key.startswith(prefix) for key in results))]
