"""Numbers, variables and checkpoints are those that were recorded (see `goldens.py`)."""

import pytest
import tensorflow as tf

from tests.conformance.calls import expected, filled, make_filled, outputs, spare, tensors, variables
from tests.conformance.catalogue import ALL, NETWORKS, STATEFUL, over
from tests.conformance.goldens import (
    describe_outputs,
    describe_variables,
    recorded_outputs,
    recorded_variables,
    stored_variables,
    unpack_checkpoint,
)


@over(ALL)
def test_outputs_are_those_recorded(row):
    _assert_recorded(row, expected(row))


@over(STATEFUL)
def test_outputs_of_what_changes_when_called_are_those_recorded(row):
    _assert_recorded(row, outputs(make_filled(row), tensors(row)))


@over(NETWORKS + STATEFUL)
def test_variables_keep_name_shape_and_order(row):
    assert describe_variables(filled(row)) == recorded_variables().get(row.name, [])


@over([row for row in NETWORKS + STATEFUL if row.name in recorded_variables()])
def test_an_earlier_checkpoint_loads(row, tmp_path):
    function = spare(row)
    for variable in variables(function):
        variable.assign(tf.zeros_like(variable))
    checkpoint = tf.train.Checkpoint(network=stored_variables(function))
    checkpoint.read(unpack_checkpoint(row.name, tmp_path)).assert_consumed()
    _assert_recorded(row, outputs(function, tensors(row)))


@over([row for row in NETWORKS if row.name in recorded_variables()])
def test_a_checkpoint_comes_back(row, tmp_path):
    again = spare(row)
    for variable in variables(again):
        variable.assign(tf.zeros_like(variable))
    path = tf.train.Checkpoint(network=stored_variables(filled(row))).write(str(tmp_path / "checkpoint"))
    tf.train.Checkpoint(network=stored_variables(again)).read(path).assert_consumed()
    for a, b in zip(outputs(again, tensors(row)), expected(row), strict=True):
        tf.debugging.assert_equal(a, b)


def test_other_numbers_are_noticed():
    row = next(row for row in NETWORKS if row.name == "padded_conv")
    function = make_filled(row)
    variable = variables(function)[-1]
    variable.assign(variable + 0.01)
    with pytest.raises(AssertionError):
        _assert_recorded(row, outputs(function, tensors(row)))


def _assert_recorded(row, values):
    found, recorded = describe_outputs(values), recorded_outputs()[row.name]
    assert [output["shape"] for output in found] == [output["shape"] for output in recorded]
    for mine, theirs in zip(found, recorded, strict=True):
        # Sums in another order, on another machine, differ by far less.
        tolerance = 1e-4 * max(theirs["rms"], 1e-3)
        assert mine["mean"] == pytest.approx(theirs["mean"], abs=tolerance)
        assert mine["rms"] == pytest.approx(theirs["rms"], abs=tolerance)
        assert mine["values"] == pytest.approx(theirs["values"], rel=1e-3, abs=10 * tolerance)
