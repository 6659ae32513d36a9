"""Numbers that strict JSON does not know: undefined is `null`, infinite is `"inf"`."""

import math
from typing import Any

import numpy as np


def to_json(value: Any) -> Any:
    """Returns `value` with NumPy numbers, NaN and infinity replaced by what strict JSON can hold.

    Args:
      value: numbers, texts, None, and dicts, lists, tuples and arrays of them.
    """
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [to_json(item) for item in value]
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        return "inf" if value > 0 else "-inf"
    return value


def from_json(value: Any) -> Any:
    """Returns `value` with `null` as NaN and `"inf"` as infinity; for parts of a document that hold numbers only."""
    if isinstance(value, dict):
        return {key: from_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if value is None:
        return math.nan
    return {"inf": math.inf, "-inf": -math.inf}.get(value, value) if isinstance(value, str) else value
