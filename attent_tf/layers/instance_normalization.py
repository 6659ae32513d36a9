"""Instance normalisation for translators and image discriminators (section IV-A.3).

Keras has only `GroupNormalization(groups=-1)`, which is slower and rewrites its own configuration when it is built. The
field's epsilon is 1e-5 (Keras's default for norms is 1e-3), and its CycleGANs use no affine parameters.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("attent_tf")
class InstanceNormalization(keras.layers.Layer):
    """Subtracts each image's mean and divides by its standard deviation, channel by channel.

    y = (x − mean(x)) / sqrt(var(x) + ε), moments over height and width in float32 whatever the precision policy.

    Args:
      epsilon: added to the variance.
      affine: whether each channel has a learned scale and shift.
    """

    def __init__(self, epsilon: float = 1e-5, affine: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.affine = affine

    def build(self, input_shape):
        if self.affine:
            channels = (input_shape[-1],)
            self.scale = self.add_weight(name="scale", shape=channels, initializer="ones")
            self.shift = self.add_weight(name="shift", shape=channels, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs, training=None):
        """Normalises `inputs` [batch, height, width, channels]; the result has the same shape and dtype, in training or not."""
        x = tf.cast(inputs, tf.float32)
        if x.shape[0] == 1:
            y = self._of_one_image(x)
        elif training is False:
            # A frozen graph cannot be saved with a gradient that reads what its function made on the way (`export.optimize`).
            y, _ = _normalize(x, self.epsilon)
        else:
            y = _normalize_for_gradient(x, self.epsilon)
        if self.affine:
            y = y * tf.cast(self.scale, tf.float32) + tf.cast(self.shift, tf.float32)
        return tf.cast(y, inputs.dtype)

    def _of_one_image(self, x):
        # Over one image a batch norm is an instance norm, and its fused kernel is faster than separate moments. The fused
        # kernel corrects its running variance only, so the result does not depend on that.
        channels = x.shape[-1]
        y, _, _ = tf.compat.v1.nn.fused_batch_norm(
            x, tf.ones([channels]), tf.zeros([channels]), epsilon=max(self.epsilon, 1.001e-5), is_training=True
        )
        return y

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon, "affine": self.affine}


def _normalize(x, epsilon):
    centred = x - _mean(x)
    scale = tf.math.rsqrt(_mean(tf.square(centred)) + epsilon)
    return centred * scale, scale


def _normalize_for_gradient(x, epsilon):
    @tf.custom_gradient
    def normalized(inputs):
        y, scale = _normalize(inputs, epsilon)

        def gradient(upstream):
            # What TensorFlow derives from the moments takes five times as many operations.
            return scale * (upstream - _mean(upstream) - y * _mean(upstream * y))

        return y, gradient

    return normalized(x)


def _mean(x):
    return tf.reduce_mean(x, axis=[1, 2], keepdims=True)
