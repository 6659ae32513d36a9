"""The comparison that other tests make: it overlooks what rounding decides, and nothing else."""

import numpy as np
import pytest

from tests.support.same_answers import ROUNDING, assert_same_answers, assert_same_labels


@pytest.fixture
def answer():
    probabilities = np.random.default_rng(0).dirichlet(np.ones(5), (4, 8, 8)).astype(np.float32)
    # Two classes that are equal up to the last bits.
    probabilities[0, 0, 0] = [0.4, 0.1, 0.0, 0.1, 0.4 + ROUNDING / 2]
    return {"probabilities": probabilities, "labels": probabilities.argmax(-1)}


def _with(answer, **changes):
    return {name: value.copy() for name, value in answer.items()} | changes


def test_what_rounding_decides_is_overlooked(answer):
    other = _with(answer)
    other["labels"][0, 0, 0] = 0
    other["probabilities"] += np.float32(ROUNDING / 2)
    assert_same_answers(other, answer)


def test_another_label_and_another_probability_are_not(answer):
    other = _with(answer)
    other["labels"][1, 2, 3] += 1
    with pytest.raises(AssertionError, match="Mismatched elements: 1 "):
        assert_same_answers(other, answer)
    other = _with(answer)
    other["probabilities"][1, 2, 3, 4] += 3 * ROUNDING
    with pytest.raises(AssertionError, match="probabilities"):
        assert_same_answers(other, answer)


def test_labels_where_there_is_no_answer_count_and_undecided_answers_are_refused(answer):
    nothing = np.zeros_like(answer["probabilities"])
    zeros = np.zeros_like(answer["labels"])
    assert_same_labels(zeros, zeros, nothing)
    with pytest.raises(AssertionError, match="Mismatched"):
        assert_same_labels(answer["labels"], zeros, nothing)
    with pytest.raises(AssertionError):
        assert_same_labels(zeros, zeros, nothing + 0.2)
