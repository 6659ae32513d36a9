"""Weights made from the shape of the images.

A network without a `build` of its own is called by Keras on symbols first, to find out what weights it has; a network that
holds others is called so once for each level. That takes longer than making the weights.
"""

from collections.abc import Iterable

import keras

Shape = tuple[int | None, ...]


def build_in_turn(layers: Iterable[keras.layers.Layer], input_shape: Shape) -> Shape:
    """Builds layers that follow one another; those that are built stay what they are, since networks may share them.

    Args:
      layers: each gives as many channels as its `filters` say, or as many as it takes.
      input_shape: [batch, height, width, channels] of what the first is shown; all but the channels may be None.

    Returns:
      The same shape with the channels that the last gives; strides are left out, on which no weight depends.
    """
    shape = tuple(input_shape)
    for layer in layers:
        if not layer.built:
            layer.build(shape)
        shape = (*shape[:-1], getattr(layer, "filters", shape[-1]))
    return shape
