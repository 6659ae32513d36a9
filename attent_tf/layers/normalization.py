"""The norms of generators and image discriminators, by name."""

import keras

from attent_tf.errors import ConfigError
from attent_tf.layers.addons_normalization import AddonsInstanceNormalization
from attent_tf.layers.instance_normalization import InstanceNormalization

NORMALIZATIONS = ("instance", "tfa_instance", "none")


def make_normalization(kind: str, **kwargs) -> keras.layers.Layer:
    """Makes the norm that a configuration names.

    Args:
      kind: `instance` (ours), `tfa_instance` (TensorFlow Addons, from the extra `addons`), or `none`.
      **kwargs: passed to the layer, for example its `name`.

    Raises:
      ConfigError: the name is unknown, or TensorFlow Addons cannot be imported.
    """
    if kind == "instance":
        return InstanceNormalization(**kwargs)
    if kind == "none":
        return keras.layers.Activation("linear", **kwargs)
    if kind == "tfa_instance":
        return AddonsInstanceNormalization(**kwargs)
    raise ConfigError(f"normalization: expected one of {', '.join(NORMALIZATIONS)}, found {kind!r}")
