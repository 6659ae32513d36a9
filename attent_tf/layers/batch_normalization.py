"""Batch normalisation for segmentors and critics, trained in one operation (section IV-A.3).

Keras's takes the moments and normalises in separate operations, each of which goes through the features once more.
"""

import math

import keras
import tensorflow as tf

# Below it, the operation refuses.
_LEAST_EPSILON = 1.001e-5


@keras.saving.register_keras_serializable("attent_tf")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's layer for images with channels last; what it computes and what it holds are the same.

    Its arguments are Keras's.
    """

    def call(self, inputs, training=False):
        """Normalises `inputs` [batch, height, width, channels]; the result has the same shape and dtype."""
        if not (training and self.trainable) or self.epsilon < _LEAST_EPSILON:
            return super().call(inputs, training=training)
        y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            tf.cast(inputs, tf.float32), self.gamma, self.beta, epsilon=self.epsilon, is_training=True
        )
        # Its variance is the unbiased one; that of the batch is what Keras follows.
        variance *= _biased_share(inputs)
        for followed, seen in ((self.moving_mean, mean), (self.moving_variance, variance)):
            followed.assign(followed * self.momentum + seen * (1.0 - self.momentum))
        return tf.cast(y, inputs.dtype)


def _biased_share(inputs):
    """(n − 1) / n of the n values of a channel, as a number where the shape is known."""
    if None not in inputs.shape:
        count = math.prod(inputs.shape[:-1])
        return max(count - 1, 1) / count
    count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
    return tf.maximum(count - 1.0, 1.0) / count
