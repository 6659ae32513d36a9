"""Which of many to look at, where looking at all would take too long."""

import numpy as np

# Number of cases that `attent check` looks at by default.
DEFAULT_CASES = 6


def even_choice(count: int, limit: int) -> np.ndarray:
    """Returns at most `limit` of the indices below `count`: the middles of as many equal parts; [chosen] int64, rising."""
    if count <= limit:
        return np.arange(count)
    return ((np.arange(limit) + 0.5) * count / limit).astype(np.int64)
