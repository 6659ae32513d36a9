import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from attent_tf.json_numbers import from_json, to_json


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


numbers = st.floats() | st.integers(-1000, 1000)


@given(st.recursive(numbers, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@settings(deadline=None)
def test_numbers_survive_strict_json(tree):
    text = json.dumps(to_json(tree), allow_nan=False)
    again = from_json(strict(text))
    assert repr(again) == repr(tree).replace("-nan", "nan")


def test_numpy_numbers_become_plain_ones():
    tree = {"a": np.float32(0.5), "b": np.array([1, 2]), "c": (np.int64(3), np.float64("inf")), "d": np.bool_(True)}
    assert to_json(tree) == {"a": 0.5, "b": [1, 2], "c": [3, "inf"], "d": True}
