"""Helpers of the tests of metrics: an oracle that follows Eq. 10 word by word."""

import itertools

import numpy as np
import pytest


def surface_by_loops(mask: np.ndarray, outside_is_object: bool) -> list[tuple[int, ...]]:
    found = []
    for voxel in itertools.product(*(range(n) for n in mask.shape)):
        if not mask[voxel]:
            continue
        for axis, step in itertools.product(range(mask.ndim), (-1, 1)):
            neighbour = list(voxel)
            neighbour[axis] += step
            inside_array = 0 <= neighbour[axis] < mask.shape[axis]
            if not (mask[tuple(neighbour)] if inside_array else outside_is_object):
                found.append(voxel)
                break
    return found


def assd_by_loops(a, b, spacing, outside_is_object=False) -> float:
    surfaces = [np.array(surface_by_loops(m, outside_is_object), float).reshape(-1, a.ndim) * spacing for m in (a, b)]
    if not len(surfaces[0]) or not len(surfaces[1]):
        return float("nan") if len(surfaces[0]) == len(surfaces[1]) else float("inf")
    pairs = np.sqrt(((surfaces[0][:, None] - surfaces[1][None]) ** 2).sum(-1))
    return (pairs.min(axis=1).sum() + pairs.min(axis=0).sum()) / sum(pairs.shape)


@pytest.fixture
def oracle():
    return assd_by_loops


@pytest.fixture
def surface_oracle():
    return surface_by_loops
