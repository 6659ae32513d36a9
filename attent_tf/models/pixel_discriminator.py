"""CyCADA's discriminator of scores (Hoffman et al., ICML 2018), which looks at each pixel alone."""

import keras
import tensorflow as tf

from attent_tf.layers import PaddedConv2D
from attent_tf.layers.building import build_in_turn


@keras.saving.register_keras_serializable("attent_tf")
class PixelDiscriminator(keras.Model):
    """Says whether the scores at each pixel come from a source image: three 1×1 convolutions, the last to two classes.

    The logit is the difference between the two classes' logits, so that the cross-entropy of two classes is the log-likelihood
    of one logit.

    Args:
      filters: channels of the first layer (512); half as many in the second.
      dropout: share of channels that training leaves out after the first two layers (0.5).
    """

    def __init__(self, filters: int = 512, dropout: float = 0.5, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.dropout = dropout
        self.convs = [
            PaddedConv2D(width, 1, name=f"conv_{i}") for i, width in enumerate((filters, max(filters // 2, 1)))
        ]
        self.drops = [keras.layers.SpatialDropout2D(dropout, name=f"drop_{i}") for i in range(2)]
        self.head = PaddedConv2D(2, 1, dtype="float32", name="head")

    def build(self, input_shape):
        build_in_turn((*self.convs, self.head), input_shape)
        super().build(input_shape)

    def call(self, inputs, training=False):
        """Judges `inputs` [batch, height, width, channels]; returns logits [batch, height, width, 1], float32."""
        x = inputs
        for conv, drop in zip(self.convs, self.drops, strict=True):
            x = tf.nn.relu(drop(conv(x), training=training))
        classes = self.head(x)
        return classes[..., :1] - classes[..., 1:]

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "dropout": self.dropout}
