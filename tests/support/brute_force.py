"""Surface distances by trying everything: every neighbour of every voxel, every pair of surface voxels."""

import itertools

import numpy as np


def surface(mask, outside="background", connectivity=1):
    """Where an object voxel has a neighbour that is not object; neighbours differ along at most `connectivity` axes."""
    found = np.zeros_like(mask)
    padded = np.pad(mask, 1, constant_values=outside == "object")
    for steps in itertools.product((-1, 0, 1), repeat=mask.ndim):
        if 0 < sum(map(abs, steps)) <= connectivity:
            window = (slice(1 + step, 1 + step + size) for step, size in zip(steps, mask.shape, strict=True))
            found |= mask & ~padded[tuple(window)]
    return found


def directed_distances(prediction, reference, spacing, outside="background", connectivity=1, at_once=1000):
    """Distances of each predicted surface voxel to the reference surface, and the reverse; None where one is empty."""
    points = [
        np.argwhere(surface(mask, outside, connectivity)) * np.asarray(spacing, float)
        for mask in (prediction, reference)
    ]
    if not len(points[0]) or not len(points[1]):
        return None
    return [
        np.concatenate(
            [
                np.sqrt(((origins[start : start + at_once, None] - targets[None]) ** 2).sum(-1)).min(axis=1)
                for start in range(0, len(origins), at_once)
            ]
        )
        for origins, targets in (points, points[::-1])
    ]


def random_masks(random, largest=6, rank=3):
    """Two masks of one random shape; many are sparse, full, equal or empty."""
    shape = tuple(random.integers(1, largest + 1, rank))
    masks = [random.random(shape) < random.choice([0.03, 0.2, 0.5, 0.9, 1.0]) for _ in range(2)]
    if random.random() < 0.1:
        masks[1] = masks[0].copy()
    return masks
