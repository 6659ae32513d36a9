"""What the deployed chain says, whether it runs here or on a server. No TensorFlow."""

from typing import Any, NamedTuple


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
