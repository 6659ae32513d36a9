"""A part of the fuzzing that is quick enough for every run; `make fuzz` goes on."""

import random

import pytest

from attent_tf.tfrecord import framing
from tests.fuzz import fuzz_readers
from tests.fuzz.mutations import damaged_bytes, damaged_json


@pytest.mark.slow
@pytest.mark.parametrize("target", fuzz_readers.TARGETS)
def test_damaged_input_is_read_or_refused_by_one_line(target, tmp_path):
    outcome = fuzz_readers.fuzz(inputs=150, seed=11, folder=tmp_path, only=target)[target]
    assert outcome.escaped == []
    # Damage that is never noticed, or input that is always refused for one and the same reason, would test little.
    assert outcome.refused > 50


def test_what_escapes_is_caught(tmp_path, monkeypatch):
    def defect(*_):
        raise ZeroDivisionError("defect")

    monkeypatch.setattr(framing, "_damage", defect)
    outcome = fuzz_readers.fuzz(inputs=50, seed=1, folder=tmp_path, only="frames")["frames"]
    assert any("ZeroDivisionError: defect" in text for text in outcome.escaped)


def test_damages_are_drawn_from_the_seed():
    content = bytes(range(256))
    one, same, other = (damaged_bytes(content, random.Random(seed)) for seed in (1, 1, 2))
    assert one == same != other
    tree = {"a": [1, 2, {"b": 3}], "c": "text"}
    assert damaged_json(tree, random.Random(3)) == damaged_json(tree, random.Random(3))
    assert tree == {"a": [1, 2, {"b": 3}], "c": "text"}
