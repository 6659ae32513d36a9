"""The deployed model: the chain S(G_t2s(x_t)), or S alone for methods without a translator."""

import tensorflow as tf

from attent_tf import losses
from attent_tf.inference.output import ChainOutput
from attent_tf.models import DeepLabV2, Generator
from attent_tf.runs import Run
from attent_tf.runs.networks import load_generators, load_segmentor


class Chain(tf.Module):
    """Translates target slices to source style and segments them.

    Args:
      segmentor: S.
      translator: G_t2s, or None.
      image_size: edge at which the networks work; the slices' edge is a multiple of it.
    """

    def __init__(self, segmentor: DeepLabV2, translator: Generator | None, image_size: int):
        super().__init__(name="chain")
        self.segmentor = segmentor
        self.translator = translator
        self.image_size = image_size

    @property
    def has_translator(self) -> bool:
        """Whether slices are translated before they are segmented."""
        return self.translator is not None

    @tf.function(reduce_retracing=True)
    def __call__(self, images: tf.Tensor) -> ChainOutput:
        """Segments `images` [batch, height, width, channels] in [−1, 1], height = width a multiple of `image_size`."""
        edge = images.shape[1]
        small = reduce_images(images, self.image_size)
        translated = self.translator(small, training=False) if self.translator else small
        logits = tf.cast(self.segmentor(translated, training=False).main, tf.float32)
        logits = tf.image.resize(logits, (edge, edge), method="bilinear")
        probabilities = tf.nn.softmax(logits)
        return ChainOutput(
            translated=tf.image.resize(translated, (edge, edge), method="bilinear") if self.translator else images,
            probabilities=probabilities,
            labels=tf.cast(tf.argmax(probabilities, axis=-1), tf.uint8),
            # Rounding may leave the sum a hair outside.
            entropy=tf.clip_by_value(losses.entropy_map(logits), 0.0, 1.0),
        )


def reduce_images(images: tf.Tensor, size: int) -> tf.Tensor:
    """Averages square blocks of `images` [batch, edge, edge, channels] to [batch, size, size, channels], as training does."""
    factor = images.shape[1] // size
    return images if factor == 1 else tf.nn.avg_pool2d(images, factor, factor, "VALID")


def load_chain(run: Run) -> Chain:
    """Loads the networks that a run deploys from its newest checkpoints.

    Args:
      run: a trained run.

    Raises:
      RunError: a stage has no checkpoint, or it is of another model.
    """
    translator = load_generators(run, "g_t2s")[0] if run.method.translator else None
    return Chain(load_segmentor(run), translator, run.config.data.image_size)
