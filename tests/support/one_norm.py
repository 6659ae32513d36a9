"""A segmentor whose only batch norm is shown the image itself, so that its statistics can be worked out by hand."""

import keras
import tensorflow as tf

from attent_tf.models import SegmentorOutput


class Smallest(keras.Model):
    """A 1×1 convolution, after a batch norm or without."""

    def __init__(self, num_classes: int, name: str, normalised: bool):
        super().__init__(name=name)
        self.norm = keras.layers.BatchNormalization(momentum=0.9, name="norm") if normalised else None
        self.head = keras.layers.Conv2D(num_classes, 1, name="head")

    def build(self, input_shape):
        for layer in (self.norm, self.head):
            if layer is not None:
                layer.build(input_shape)
        super().build(input_shape)

    def call(self, inputs, training=False):
        features = inputs if self.norm is None else self.norm(inputs, training=training)
        logits = self.head(features)
        return SegmentorOutput(logits, tf.identity(logits), features)


def one_norm(config, num_classes: int, channels: int, name: str) -> keras.Model:
    """As a part's `network`."""
    del config, channels
    return Smallest(num_classes, name, normalised=True)


def no_norm(config, num_classes: int, channels: int, name: str) -> keras.Model:
    """As a part's `network`."""
    del config, channels
    return Smallest(num_classes, name, normalised=False)
