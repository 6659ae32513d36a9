"""Cells as aligned columns for the terminal."""

import math
from collections.abc import Sequence

from attent_tf.reporting.wording import INFINITE, UNDEFINED

# Where explanations below a table are wrapped.
LINE = 100


def aligned(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Returns lines of the rows' cells in columns; the first `left` of them stand at the left, the others at the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def number(value: float, digits: int = 2, sign: bool = False) -> str:
    """Returns a number with the given number of decimals, `–` where it is undefined and `∞` where it is infinite."""
    if math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return INFINITE if value > 0 else f"−{INFINITE}"
    return f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def interval(low: float, high: float, digits: int = 2, sign: bool = False) -> str:
    """Returns both bounds, or `–` where they are undefined."""
    if math.isnan(low) or math.isnan(high):
        return UNDEFINED
    return f"{number(low, digits, sign)} … {number(high, digits, sign)}"


def p_value(value: float) -> str:
    """Returns a p-value with three decimals."""
    return UNDEFINED if math.isnan(value) else f"{value:.3f}" if value >= 0.001 else "<0.001"
