"""Numbers from a formula, so that inputs and weights are the same whatever the version of any random generator.

Multiples of the golden ratio, modulo 1, spread evenly without repeating themselves; 61 of them follow each other again and again,
so that files of them compress well, and 61 divides no number of channels.
"""

import math

import numpy as np

_PERIOD = 61
_PATTERN = 2 * ((np.arange(_PERIOD) * (math.sqrt(5) - 1) / 2) % 1) - 1


def spread(*shape: int, scale: float = 1.0, start: int = 0) -> np.ndarray:
    """Returns float32 numbers of `shape` in [−scale, scale]."""
    indices = (np.arange(math.prod(shape)) + start) % _PERIOD
    return (scale * _PATTERN[indices]).reshape(shape).astype(np.float32)


def classes(*shape: int, count: int) -> np.ndarray:
    """Returns uint8 class indices of `shape` below `count`."""
    return ((spread(*shape) + 1) / 2 * count).astype(np.uint8)


def fill(variables: list) -> None:
    """Gives each variable a value that follows from its place in the list, its shape and its name.

    Kernels have the variance 1 / fan-in; factors and variances lie about 1; integers stay as they are.
    """
    for place, variable in enumerate(variables):
        shape, name = tuple(variable.shape), variable.name
        if "int" in str(variable.dtype):
            continue
        if len(shape) > 1:
            value = spread(*shape, scale=math.sqrt(3 / math.prod(shape[:-1])), start=7 * place)
        elif any(word in name for word in ("gamma", "scale", "variance")):
            value = 1 + spread(*shape, scale=0.5, start=7 * place)
        else:
            value = spread(*shape, scale=0.1, start=7 * place)
        variable.assign(value)
