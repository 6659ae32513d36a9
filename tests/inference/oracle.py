"""A chain that needs no network: it calls a pixel by its intensity, so that what comes out is known."""

from typing import NamedTuple

import numpy as np


class Output(NamedTuple):
    translated: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray
    entropy: np.ndarray


class Oracle:
    """Gives 0.9 to the class whose band of [−1, 1] a pixel lies in (0 the lowest), and 0.025 to each of the others."""

    has_translator = True
    # It has no paths of its own, and takes slices of any size; this one divides those of the tests.
    routes, image_size = (), 32

    def __init__(self):
        self.batches = []

    def at_network_size(self):
        return self

    def __call__(self, images):
        self.batches.append(len(images))
        labels = np.clip((images[..., images.shape[-1] // 2] + 1.0) / 2.0 * 5, 0, 4).astype(np.uint8)
        probabilities = np.float32(0.025) + np.float32(0.875) * np.eye(5, dtype=np.float32)[labels]
        entropy = -(probabilities * np.log(probabilities)).sum(axis=-1, keepdims=True) / np.log(5)
        return Output(-images, probabilities, labels, entropy.astype(np.float32))
