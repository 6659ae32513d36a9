"""What the deployed chain says, whether it runs here or on a server. No TensorFlow."""

from typing import Any, NamedTuple

import numpy as np


class ChainOutput(NamedTuple):
    """What the chain says of a batch of slices, at the slices' resolution; tensors, or NumPy arrays.

    Attributes:
      translated: [batch, height, width, channels] float32 in [−1, 1]; the input itself where there is no translator, and
        None where a server was not asked for it.
      probabilities: [batch, height, width, classes] float32, sum 1.
      labels: [batch, height, width] uint8 class indices.
      entropy: [batch, height, width, 1] float32 in [0, 1] (Eq. 6).
    """

    translated: Any
    probabilities: Any
    labels: Any
    entropy: Any


def output_of(probabilities: np.ndarray, translated: np.ndarray | None = None) -> ChainOutput:
    """Returns all that an exported chain says, from its probabilities alone: its other signatures would run it once more.

    Args:
      probabilities: [batch, height, width, classes] float32, sum 1.
      translated: [batch, height, width, channels] float32, or None.
    """
    # The least normal float32 in the place of 0, whose share of the sum is 0.
    logs = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    entropy = -(probabilities * logs).sum(axis=-1, keepdims=True) / np.float32(np.log(probabilities.shape[-1]))
    return ChainOutput(
        translated=translated,
        probabilities=probabilities,
        labels=probabilities.argmax(axis=-1).astype(np.uint8),
        entropy=np.clip(entropy, 0.0, 1.0),
    )
