"""Fixed panels of images for TensorBoard, made anew at intervals."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from attent_tf import losses
from attent_tf.volumes import middle_channel

_ROWS = 3


class TranslationPanel:
    """Input, translation, cycle and, of generators that have gates, the finest one, side by side, for each way there and back.

    Args:
      ways: name -> (translator there, translator back, images [slices, size, size, channels] float32 in [−1, 1]); a few images
        spread over the whole are shown.
    """

    def __init__(self, ways: dict[str, tuple[Callable, Callable, np.ndarray]]):
        self._ways = {name: (there, back, _spread(images)) for name, (there, back, images) in ways.items()}

    @tf.function(autograph=False)
    def __call__(self) -> dict[str, tf.Tensor]:
        """Returns images by name, each [rows, size, columns · size, 1] in [0, 1]."""
        return {name: _row(images, there, back) for name, (there, back, images) in self._ways.items()}


class SegmentationPanel:
    """Image, predicted classes and entropy, side by side, for labelled and for target slices.

    Args:
      segmentor: the segmentor that draws.
      labelled: [slices, size, size, channels] float32 in [−1, 1], or None.
      target: the same of the target, as the segmentor is shown it, or None.
      labelled_through: the translator after which the segmentor is shown labelled slices; None for none.
    """

    def __init__(
        self,
        segmentor: Callable,
        labelled: np.ndarray | None,
        target: np.ndarray | None = None,
        labelled_through: Callable | None = None,
    ):
        self._segmentor = segmentor
        parts = {"labelled": (labelled, labelled_through), "target": (target, None)}
        self._parts = {
            name: (_spread(images), through) for name, (images, through) in parts.items() if images is not None
        }

    @tf.function(autograph=False)
    def __call__(self) -> dict[str, tf.Tensor]:
        """Returns images by name, each [rows, size, columns · size, 1] in [0, 1]."""
        return {name: self._row(images, through) for name, (images, through) in self._parts.items()}

    def _row(self, images, through):
        if through is not None:
            images = through(images)
        logits = self._segmentor(images, training=False).main
        classes = tf.cast(tf.argmax(logits, axis=-1)[..., tf.newaxis], tf.float32) / (logits.shape[-1] - 1)
        return tf.concat([_visible(images), classes, losses.entropy_map(logits)], axis=2)


def _row(images, translator, translator_back):
    gates = []
    if hasattr(translator, "translate_with_gates"):
        translated, gates = translator.translate_with_gates(images)
    else:
        translated = translator(images)
    parts = [_visible(images), _visible(translated), _visible(translator_back(translated))]
    return tf.concat([*parts, *gates[-1:]], axis=2)


def _visible(images):
    return 0.5 * (middle_channel(images)[..., tf.newaxis] + 1.0)


def _spread(images):
    return tf.constant(images[np.linspace(0, len(images) - 1, _ROWS + 2).round().astype(int)[1:-1]])
