"""An adversary: a discriminator, what it is shown, and what fooling it is worth (Eq. 2, 3, 7 and 8)."""

import keras
import tensorflow as tf

from attent_tf import losses
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.step import Step


class Adversary(tf.Module):
    """Learns to tell the genuine from the imitated, and charges those who imitate.

    Args:
      step: the step that it belongs to.
      name: the name of its weight update.
      discriminator: built; logits [batch, height, width, 1].
      optimizer: an `OptimizerConfig`.
      kind: one of `losses.adversarial.KINDS`.
      weight: of what fooling it is worth.
      pool: the pool of earlier imitations that it is shown instead of the latest; None for none.
      share_of_loss: factor of its own loss; ½ slows it against those who imitate, as in CycleGAN.
      together: whether both kinds pass in one batch, which is faster for small batches.
      clip: largest absolute value that the discriminator's kernels may have after an update, which bounds the slope of a critic
        (`wasserstein`); 0 for any.
    """

    def __init__(
        self,
        step: Step,
        name: str,
        discriminator: keras.Model,
        optimizer,
        kind: str,
        weight: float = 1.0,
        pool: ImagePool | None = None,
        share_of_loss: float = 1.0,
        together: bool = False,
        clip: float = 0.0,
    ):
        super().__init__(name=name)
        self._step = step
        self.discriminator = discriminator
        self.kind = kind
        self.weight = weight
        self.pool = pool
        self._share_of_loss = share_of_loss
        self._together = together
        self._clip = clip
        self._update = step.updating(name, optimizer, discriminator)
        if pool is not None:
            step.image_pools[pool.name] = pool
        self._gradients = compiled(self._gradients, step.context.config.jit)

    def charge(self, imitated: tf.Tensor) -> tf.Tensor:
        """Returns what imitations pay for not passing as genuine, [batch] float32; call it in replica context."""
        return self.weight * losses.real_loss(self.discriminator(imitated), self.kind)

    def learn(self, genuine, imitated) -> dict[str, tf.Tensor]:
        """Updates the discriminator; call it in cross-replica context.

        Args:
          genuine, imitated: each replica's [batch, height, width, channels].

        Returns:
          `loss` and `accuracy`, means over the global batch.
        """
        gradients, metrics = run_and_sum(self._step.strategy, self._gradients, (genuine, imitated))
        self._update.apply(gradients)
        if self._clip:
            for variable in self._update.variables_updated:
                if len(variable.shape) > 1:
                    variable.assign(tf.clip_by_value(variable, -self._clip, self._clip))
        return metrics

    def _gradients(self, genuine, imitated):
        with tf.GradientTape() as tape:
            if self._together:
                judged = self.discriminator(tf.concat([genuine, imitated], axis=0), training=True)
                judged = judged[: genuine.shape[0]], judged[genuine.shape[0] :]
            else:
                judged = self.discriminator(genuine, training=True), self.discriminator(imitated, training=True)
            loss = self._step.share(losses.discriminator_loss(*judged, self.kind))
            scaled = self._update.scaled(self._share_of_loss * loss)
        gradients = tape.gradient(scaled, self._update.variables_updated)
        accuracy = self._step.share(losses.decision_accuracy(*judged, self.kind))
        return gradients, {"loss": loss, "accuracy": accuracy}
