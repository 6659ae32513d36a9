"""Instance normalisation of TensorFlow Addons, for users who want the one of the paper's time (section IV-A.3).

Addons ended in May 2024; its last nightly still imports beside Keras 3, from the extra `addons` on Python 3.11.
"""

import warnings

import keras
import tensorflow as tf

from attent_tf.errors import ConfigError


@keras.saving.register_keras_serializable("attent_tf")
class AddonsInstanceNormalization(keras.layers.Layer):
    """`tfa.layers.InstanceNormalization` without affine parameters, its moments in float32 whatever the precision policy.

    The layer of Addons itself would compute moments in bfloat16, or a variance in float16, where large features overflow.

    Args:
      epsilon: added to the variance.

    Raises:
      ConfigError: TensorFlow Addons cannot be imported.
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        norm = _import_addons().layers.InstanceNormalization
        self.norm = norm(epsilon=epsilon, center=False, scale=False, dtype="float32", name="norm")

    def build(self, input_shape):
        self.norm.build(input_shape)
        super().build(input_shape)

    def call(self, inputs):
        """Normalises `inputs` [batch, height, width, channels]; the result has the same shape and dtype."""
        return tf.cast(self.norm(tf.cast(inputs, tf.float32)), inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


def _import_addons():
    try:
        with warnings.catch_warnings():
            # It says that it has ended and is untested beside this TensorFlow; both are known and written down.
            warnings.simplefilter("ignore")
            import tensorflow_addons
    except Exception as error:  # a build for another Keras fails with errors of many kinds
        raise ConfigError(
            f"normalization tfa_instance needs TensorFlow Addons, which does not import here ({type(error).__name__}); "
            "install the extra `attent-tf[addons]` (Python < 3.12) or choose `instance`"
        ) from error
    return tensorflow_addons
