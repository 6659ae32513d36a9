"""Adversarial losses (Eq. 2, 3, 7 and 8).

The paper writes the log-likelihood game. Its generator term log(1 − D(G(x))) has no slope where the discriminator is sure;
as Goodfellow et al. advise, the generator maximises log D(G(x)) instead. The authors' code uses least squares. PnP-AdaNet uses
the Wasserstein distance; its discriminator, a critic, has to keep its slope bounded by other means.

Each function takes logits [batch, height, width, 1], one for each patch, and returns one value per example [batch] in
float32: the mean over patches.
"""

import tensorflow as tf

from attent_tf.errors import ConfigError

KINDS = ("log_likelihood", "least_squares", "wasserstein")


def real_loss(logits: tf.Tensor, kind: str) -> tf.Tensor:
    """Loss of a discriminator (or of the generator that wants to pass for real) for logits that do not say `real`.

    `log_likelihood`: −log D; `least_squares`: (D − 1)²; `wasserstein`: −D, D being the logit itself.

    Args:
      logits: [batch, height, width, 1].
      kind: one of `KINDS`.

    Returns:
      [batch] float32.

    Raises:
      ConfigError: `kind` is unknown.
    """
    return _per_example(_distance_from_label(logits, True, kind))


def fake_loss(logits: tf.Tensor, kind: str) -> tf.Tensor:
    """Loss of a discriminator for logits that do not say `fake`.

    `log_likelihood`: −log(1 − D); `least_squares`: D²; `wasserstein`: D, D being the logit itself.

    Args:
      logits: [batch, height, width, 1].
      kind: one of `KINDS`.

    Returns:
      [batch] float32.

    Raises:
      ConfigError: `kind` is unknown.
    """
    return _per_example(_distance_from_label(logits, False, kind))


def discriminator_loss(real_logits: tf.Tensor, fake_logits: tf.Tensor, kind: str) -> tf.Tensor:
    """The discriminator's side of Eq. 2, 3 and 7: real (source) is 1, translated (target) is 0.

    Args:
      real_logits: [batch, height, width, 1], for real images or source maps.
      fake_logits: [batch, height, width, 1], for translations or target maps.
      kind: one of `KINDS`.

    Returns:
      [batch] float32, the sum of both terms.
    """
    return real_loss(real_logits, kind) + fake_loss(fake_logits, kind)


def decision_accuracy(real_logits: tf.Tensor, fake_logits: tf.Tensor, kind: str) -> tf.Tensor:
    """Share of patches that the discriminator judges correctly; 0.5 is chance.

    A critic (`wasserstein`) has no zero: of the two logits for a place, that of the real image has to be higher.

    Args:
      real_logits: [batch, height, width, 1], for real images or source maps.
      fake_logits: [batch, height, width, 1], for translations or target maps.
      kind: one of `KINDS`.

    Returns:
      [batch] float32 in [0, 1].
    """
    if kind == "wasserstein":
        return _per_example(tf.cast(real_logits > fake_logits, tf.float32))
    threshold = 0.0 if kind == "log_likelihood" else 0.5
    real = tf.cast(real_logits > threshold, tf.float32)
    fake = tf.cast(fake_logits <= threshold, tf.float32)
    return 0.5 * (_per_example(real) + _per_example(fake))


def _distance_from_label(logits, is_real, kind):
    logits = tf.cast(logits, tf.float32)
    if kind == "least_squares":
        return tf.square(logits - 1.0 if is_real else logits)
    against = -logits if is_real else logits
    if kind == "log_likelihood":
        # −log σ(−x) is softplus(x).
        return tf.nn.softplus(against)
    if kind == "wasserstein":
        return against
    raise ConfigError(f"adversarial loss: expected one of {', '.join(KINDS)}, found {kind!r}")


def _per_example(values):
    return tf.reduce_mean(values, axis=[1, 2, 3])
