"""Batch norms, folded into the convolutions before them: in use they are one scale and one shift for each channel."""

import keras
import numpy as np

from attent_tf.layers import PaddedConv2D
from attent_tf.models import DeepLabV2
from attent_tf.models.resnet import ResidualUnit


def fold_batch_norms(segmentor: keras.Model) -> int:
    """Changes S in place: its convolutions take over what its batch norms do, and the norms become empty.

    Of other networks than DeepLab-v2 nothing is folded.

    W' = s W and b' = s b + β − s μ, with s = γ / sqrt(σ² + ε): the same function in inference, up to rounding. S cannot
    be trained afterwards.

    Args:
      segmentor: S, with its weights.

    Returns:
      How many norms were folded.
    """
    if not isinstance(segmentor, DeepLabV2):
        return 0
    resnet = segmentor.resnet
    _fold(resnet.stem, resnet.stem_norm)
    resnet.stem_norm = _pass_on
    folded = 1
    for unit in resnet.units:
        folded += _fold_unit(unit)
    return folded


def _fold_unit(unit: ResidualUnit) -> int:
    for conv, norm in zip(unit.convs, unit.norms, strict=True):
        _fold(conv, norm)
    folded = len(unit.norms)
    unit.norms = [_pass_on] * folded
    if unit.project:
        _fold(unit.shortcut, unit.shortcut_norm)
        unit.shortcut_norm = _pass_on
        folded += 1
    return folded


def _fold(conv: PaddedConv2D, norm: keras.layers.BatchNormalization) -> None:
    gamma, beta, mean, variance = (
        np.asarray(variable.value, np.float64)
        for variable in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    conv.kernel.assign(np.asarray(conv.kernel.value, np.float64) * scale)
    conv.bias.assign(np.asarray(conv.bias.value, np.float64) * scale + beta - scale * mean)


def _pass_on(inputs, training=False):
    del training
    return inputs
