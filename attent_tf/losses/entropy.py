"""How unsure a prediction is: the maps that the aligner's discriminator sees (Eq. 6).

The paper's map has one value per pixel. The authors' code, following ADVENT, keeps one channel per class, the weighted
self-information; its sum over the classes is the paper's map.
"""

import tensorflow as tf


def self_information_map(logits: tf.Tensor) -> tf.Tensor:
    """−p^c log p^c / log C for each class (ADVENT's weighted self-information).

    Args:
      logits: [batch, height, width, classes]; the softmax is taken here, in float32.

    Returns:
      [batch, height, width, classes] float32, ≥ 0.
    """
    log_p = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    classes = tf.cast(tf.shape(logits)[-1], tf.float32)
    return -tf.exp(log_p) * log_p / tf.math.log(classes)


def entropy_map(logits: tf.Tensor) -> tf.Tensor:
    """The normalised entropy E_x = −(1 / log C) Σ_c S(x)^c log S(x)^c (Eq. 6).

    Args:
      logits: [batch, height, width, classes].

    Returns:
      [batch, height, width, 1] float32 in [0, 1]: 0 for a one-hot prediction, 1 for a uniform one.
    """
    return tf.reduce_sum(self_information_map(logits), axis=-1, keepdims=True)
