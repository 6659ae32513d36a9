"""The building blocks of the networks."""

from attent_tf.layers.activations import leaky_relu
from attent_tf.layers.attention_gate import AttentionGate
from attent_tf.layers.batch_normalization import BatchNormalization
from attent_tf.layers.conv_unit import ConvUnit
from attent_tf.layers.growing_residual_block import GrowingResidualBlock
from attent_tf.layers.instance_normalization import InstanceNormalization
from attent_tf.layers.normalization import make_normalization
from attent_tf.layers.padded_conv import PaddedConv2D
from attent_tf.layers.residual_block import ResidualBlock

__all__ = [
    "AttentionGate",
    "BatchNormalization",
    "ConvUnit",
    "GrowingResidualBlock",
    "InstanceNormalization",
    "PaddedConv2D",
    "ResidualBlock",
    "leaky_relu",
    "make_normalization",
]
