"""Gradients are finite, and reach every variable that is trained."""

import numpy as np

from tests.conformance.calls import filled, gradient, tensors
from tests.conformance.catalogue import DIFFERENTIABLE, over


@over(DIFFERENTIABLE)
def test_gradients_are_finite_and_reach_everything(row):
    function = filled(row)
    names = [v.path for v in getattr(function, "trainable_variables", [])] or [f"input {i}" for i in range(9)]
    for name, part in zip(names, gradient(function, tensors(row)), strict=False):
        if part is None:
            # Softmax outputs are taken of the heads alone.
            assert (row.name, name) == ("alignment_maps", "input 2"), name
            continue
        assert np.all(np.isfinite(part)), name
        assert np.any(part), name
