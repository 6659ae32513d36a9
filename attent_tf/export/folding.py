"""Batch norms, folded into the convolutions before them: in use they are one scale and one shift for each channel."""

import keras
import numpy as np
import tensorflow as tf

from attent_tf.layers import PaddedConv2D


def fold_batch_norms(network: keras.Model) -> int:
    """Changes a network in place: its convolutions take over what its batch norms do.

    W' = s W and b' = b s + β − s μ, with s = γ / sqrt(σ² + ε): the same function in inference, up to rounding. The network
    cannot be trained afterwards. Networks say by `conv_norms` what can be folded; the others stay what they are.

    Args:
      network: the network with its weights.

    Returns:
      How many norms were folded.
    """
    places = list(network.conv_norms()) if hasattr(network, "conv_norms") else []
    for conv, norm, replace in places:
        replace(_fold(conv, norm))
    return len(places)


class _Shift:
    """What is left of a norm after a convolution without bias."""

    def __init__(self, values: np.ndarray):
        self._values = values

    def __call__(self, inputs, training=False):
        del training
        return inputs + tf.constant(self._values, inputs.dtype)


def _fold(conv: PaddedConv2D, norm: keras.layers.BatchNormalization):
    """Returns what takes the norm's place."""
    gamma, beta, mean, variance = (
        np.asarray(variable.value, np.float64)
        for variable in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    shift = beta - scale * mean
    conv.kernel.assign(np.asarray(conv.kernel.value, np.float64) * scale)
    if not conv.use_bias:
        return _Shift(shift)
    conv.bias.assign(np.asarray(conv.bias.value, np.float64) * scale + shift)
    return _pass_on


def _pass_on(inputs, training=False):
    del training
    return inputs
