"""ImageNet weights of `keras.applications` for the residual backbones (section IV-A.3: DeepLab-v2, pretrained on ImageNet).

The weights expect colours from 0 to 255 in the order blue, green, red, with a mean subtracted from each. `ImageNetInput`
turns slices into that, so that the network sees exactly what it was trained on, borders included.
"""

import os
from pathlib import Path

import keras
import tensorflow as tf

from attent_tf.errors import ConfigError

# The architecture of `keras.applications` whose weights a backbone takes.
ARCHITECTURES = {"resnet50": "ResNet50", "resnet101": "ResNet101"}

_MEAN_BGR = (103.939, 116.779, 123.68)


@keras.saving.register_keras_serializable("attent_tf")
class ImageNetInput(keras.layers.Layer):
    """Turns slices in [−1, 1] into the input of networks that were trained on ImageNet.

    A single channel becomes three equal ones; three channels (2.5-D) are taken as blue, green and red.
    """

    def call(self, inputs):
        """Returns [batch, height, width, 3] for `inputs` [batch, height, width, 1 or 3]."""
        if inputs.shape[-1] not in (1, 3):
            raise ValueError(f"Argument `inputs` must have 1 or 3 channels. Found: shape {inputs.shape}")
        grey = (inputs + 1.0) * 127.5
        return grey - tf.constant(_MEAN_BGR, grey.dtype)

    def compute_output_shape(self, input_shape):
        """Returns the shape of the result."""
        return (*input_shape[:-1], len(_MEAN_BGR))


def find_weights(weights: str, backbone: str) -> Path:
    """Returns the file of ImageNet weights; nothing is ever downloaded.

    Args:
      weights: `imagenet` for the file in Keras's cache, or a path.
      backbone: a key of `ARCHITECTURES`.

    Raises:
      ConfigError: there is no such file, or the backbone takes no such weights.
    """
    if backbone not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ConfigError(f"segmentation.weights: {backbone!r} takes no ImageNet weights, {known} do; use none")
    if weights != "imagenet":
        path = Path(weights)
        if not path.is_file():
            raise ConfigError(f"segmentation.weights: {path}: expected a weights file, found none; check the path")
        return path
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    path = home / "models" / f"{backbone}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    if not path.is_file():
        raise ConfigError(
            f"segmentation.weights: expected ImageNet weights at {path}, found none; let "
            f'keras.applications.{ARCHITECTURES[backbone]}(include_top=False, weights="imagenet") fetch them once, or give a file'
        )
    return path


def load_imagenet(resnet: keras.Model, path: str | os.PathLike) -> None:
    """Copies ImageNet weights into a backbone, layer by layer.

    Args:
      resnet: a built `DilatedResNet` of `resnet50` or `resnet101` with `imagenet_input`.
      path: a weights file of the same architecture without its top, as `keras.applications` keeps them.

    Raises:
      ConfigError: the file is damaged or holds another network.
    """
    architecture = ARCHITECTURES[resnet.backbone]
    given = getattr(keras.applications, architecture)(include_top=False, weights=None, input_shape=(None, None, 3))
    try:
        given.load_weights(str(path))
    except Exception as error:  # the HDF5 reader and Keras raise errors of many kinds
        raise ConfigError(
            f"segmentation.weights: {path}: expected weights of {architecture} without its top, found other content "
            f"({type(error).__name__}); give the file that keras.applications keeps for it"
        ) from error
    for layer, name in _names(resnet):
        layer.set_weights(given.get_layer(name).get_weights())


def _names(resnet: keras.Model):
    """Yields each layer with weights and the name of its counterpart."""
    yield resnet.stem, "conv1_conv"
    yield resnet.stem_norm, "conv1_bn"
    for unit in resnet.units:
        _, stage, _, block = unit.name.split("_")
        prefix = f"conv{int(stage) + 1}_block{block}"
        for index, (conv, norm) in enumerate(zip(unit.convs, unit.norms, strict=True), start=1):
            yield conv, f"{prefix}_{index}_conv"
            yield norm, f"{prefix}_{index}_bn"
        if unit.project:
            yield unit.shortcut, f"{prefix}_0_conv"
            yield unit.shortcut_norm, f"{prefix}_0_bn"
