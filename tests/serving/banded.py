"""A chain without networks, which a client and a server know alike: the class of a pixel is the fifth its value lies in."""

import numpy as np

from attent_tf.deployment.output import ChainOutput, output_of

SIZE, CLASSES = 32, 5


def banded(images: np.ndarray) -> np.ndarray:
    """Returns [batch, size, size, 5] probabilities, 0.6 for one class, of images [batch, size, size, 1] in [−1, 1]."""
    classes = np.clip(((images[..., 0] + 1) / 2 * CLASSES).astype(int), 0, CLASSES - 1)
    return (0.1 + 0.5 * np.eye(CLASSES)[classes]).astype(np.float32)


class BandedChain:
    """Stands where a `Chain` does."""

    has_translator = False

    def __call__(self, images: np.ndarray) -> ChainOutput:
        return output_of(banded(np.asarray(images)))
