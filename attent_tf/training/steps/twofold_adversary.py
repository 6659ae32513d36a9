"""The adversary that answers two questions of an image (d_A of SIFA: Chen et al., TMI 2020)."""

import tensorflow as tf

from attent_tf import losses
from attent_tf.training.replicas import run_and_sum
from attent_tf.training.steps.adversary import Adversary


class TwofoldAdversary(Adversary):
    """Learns to tell imitations from genuine images, and from genuine images that were translated there and back.

    The second question aligns features by the images that are made of them: two images in the same style can differ only by where
    their features come from.

    Args: as `Adversary`; the discriminator gives two logits for a patch.
    """

    def charges(self, imitated: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns what imitations pay for not passing as either, [batch] each; call it in replica context."""
        for_genuine, for_cycled = tf.split(self.discriminator(imitated), 2, axis=-1)
        return tuple(self.weight * losses.real_loss(logits, self.kind) for logits in (for_genuine, for_cycled))

    def learn(self, genuine, cycled, imitated) -> dict[str, tf.Tensor]:
        """Updates the discriminator; call it in cross-replica context.

        Args:
          genuine, cycled, imitated: each replica's [batch, height, width, channels].

        Returns:
          `loss` of both questions, `accuracy` and `accuracy_cycled`, means over the global batch.
        """
        gradients, metrics = run_and_sum(self._step.strategy, self._gradients, (genuine, cycled, imitated))
        self._update.apply(gradients)
        return metrics

    def _gradients(self, genuine, cycled, imitated):
        with tf.GradientTape() as tape:
            judged = self.discriminator(tf.concat([genuine, cycled, imitated], axis=0))
            genuine, cycled, imitated = tf.split(judged, 3, axis=0)
            first = genuine[..., :1], imitated[..., :1]
            second = cycled[..., 1:], imitated[..., 1:]
            loss = self._step.share(sum(losses.discriminator_loss(*pair, self.kind) for pair in (first, second)))
            scaled = self._update.scaled(self._share_of_loss * loss)
        gradients = tape.gradient(scaled, self._update.variables_updated)
        accuracies = [self._step.share(losses.decision_accuracy(*pair, self.kind)) for pair in (first, second)]
        return gradients, {"loss": loss, "accuracy": accuracies[0], "accuracy_cycled": accuracies[1]}
