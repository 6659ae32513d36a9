"""The discriminator D_E of entropy maps, softmax outputs or features (section III-C, Fig. 3)."""

import keras

from attent_tf.layers import PaddedConv2D, leaky_relu
from attent_tf.layers.building import build_in_turn


@keras.saving.register_keras_serializable("attent_tf")
class MapDiscriminator(keras.Model):
    """Says whether a map comes from a source image: four times (Conv, LeakyReLU), then one convolution, all 4×4 at stride 2.

    The number of input channels follows from the first call: 1 for the entropy map of Eq. 6, C for ADVENT's weighted
    self-information, C for softmax outputs, the width of the backbone for features.

    Args:
      filters: channels of the first layer (64); doubled in each of the next three.
    """

    # Five halvings leave one judgement.
    smallest_edge = 32

    def __init__(self, filters: int = 64, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.convs = [PaddedConv2D(width * filters, 4, 2, name=f"conv_{i}") for i, width in enumerate((1, 2, 4, 8))]
        self.head = PaddedConv2D(1, 4, 2, dtype="float32", name="head")

    def build(self, input_shape):
        build_in_turn((*self.convs, self.head), input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Judges `inputs` [batch, height, width, channels]; returns logits [batch, height/32, width/32, 1], float32."""
        x = inputs
        for conv in self.convs:
            x = leaky_relu(conv(x))
        return self.head(x)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}
