"""The attention gate on a skip connection (Eq. 1 of the paper).

The gate signal g is the decoder feature at the resolution of f, as in the authors' code; the gate of Oktay et al. takes it
from a coarser grid. The authors' code normalises each 1×1 convolution by a batch norm, which at batch 1 trains on
per-image statistics and infers with running ones; this gate has none. The authors' code multiplies the output by 2 (`gain`).
"""

import keras
import tensorflow as tf

from attent_tf.layers.padded_conv import PaddedConv2D


@keras.saving.register_keras_serializable("attent_tf")
class AttentionGate(keras.layers.Layer):
    """Scales the encoder feature f by a gate in [0, 1] that is computed from f and the decoder feature g.

    AG = gain · f · σ2(Wθᵀ σ1(Wfᵀ f + bf + Wgᵀ g + bg) + bθ), with σ1 = ReLU and σ2 = sigmoid (Eq. 1).

    Args:
      filters: channels of the intermediate sum.
      gain: factor of the output; 1 in the paper, 2 in the authors' code.
    """

    def __init__(self, filters: int, gain: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.gain = gain
        self.project_f = PaddedConv2D(filters, 1, name="project_f")
        self.project_g = PaddedConv2D(filters, 1, name="project_g")
        self.theta = PaddedConv2D(1, 1, name="theta")

    def build(self, f_shape, g_shape):
        self.project_f.build(f_shape)
        self.project_g.build(g_shape)
        self.theta.build((*f_shape[:-1], self.filters))
        super().build(f_shape)

    def gate(self, f, g):
        """Returns the gate [batch, height, width, 1], float32 in [0, 1]."""
        return tf.sigmoid(tf.cast(self.theta(tf.nn.relu(self.project_f(f) + self.project_g(g))), tf.float32))

    def call(self, f, g, return_gate=False):
        """Gates f [batch, height, width, channels] by g [batch, height, width, channels of the decoder].

        Returns:
          [batch, height, width, channels]; with `return_gate` a pair of this and the gate that `gate` returns.
        """
        gate = self.gate(f, g)
        gated = f * tf.cast(self.gain * gate, f.dtype)
        return (gated, gate) if return_gate else gated

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "gain": self.gain}
