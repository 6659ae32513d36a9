"""Source scans in target style: F, the translator that a method trains its segmentor's images with, in the place of a chain."""

import tensorflow as tf

from attent_tf.deployment.output import ChainOutput
from attent_tf.errors import RunError
from attent_tf.inference.chain import reduce_images
from attent_tf.methods import TO_TARGET
from attent_tf.models import Generator
from attent_tf.runs import Run
from attent_tf.runs.networks import load_parts


class TargetStyle(tf.Module):
    """Shows source slices in target style; `translate_prepared` takes it as it takes a `Chain`.

    Args:
      translator: F.
      image_size: edge at which it works; the slices' edge is a multiple of it.
    """

    has_translator = True

    def __init__(self, translator: Generator, image_size: int):
        super().__init__(name="target_style")
        self._translator = translator
        self._image_size = image_size

    @tf.function(autograph=False, reduce_retracing=True)
    def __call__(self, images: tf.Tensor) -> ChainOutput:
        """Translates `images` [batch, height, width, channels] in [−1, 1], height = width a multiple of `image_size`."""
        edge = images.shape[1]
        shown = self._translator(reduce_images(images, self._image_size), training=False)
        return ChainOutput(tf.image.resize(shown, (edge, edge), method="bilinear"), None, None, None)


def load_target_style(run: Run) -> TargetStyle:
    """Loads F from a run's newest checkpoint.

    Raises:
      RunError: the method has no such network, or it has no checkpoint.
    """
    if TO_TARGET not in {role for stage in run.method.stages for role in stage.roles}:
        raise RunError(
            f"{run.folder}: expected a method that translates {run.source} to {run.target}, found {run.method.id}, which does "
            f"not; give the scans of {run.target} alone"
        )
    (translator,) = load_parts(run, TO_TARGET)
    return TargetStyle(translator, run.config.data.image_size)
