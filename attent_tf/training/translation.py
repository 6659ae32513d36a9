"""Stage 1, inner step: the attention CycleGAN (section III-B, Eq. 1–4)."""

from typing import Any

import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import TranslationConfig
from attent_tf.models import PatchDiscriminator
from attent_tf.runs.networks import make_generator, stored
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.precision import computing_in
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.weight_update import WeightUpdate


class TranslationStep(tf.Module):
    """Both generators, both discriminators, their optimisers and image pools, and one update of each.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      config: of the stage.
      translator: `attention_cyclegan` or `cyclegan`.
      image_size: edge of the images in pixels.
      steps: number of updates in all, for the learning rates.
      global_batch_size: images of each domain a step, over all replicas.
      seed: of the image pools' choices.
      channels: of the images.
      precision: see `attent_tf.training.precision`.
      jit: whether gradients are compiled by XLA.
    """

    metric_names = (
        "generator",
        "cycle",
        "identity",
        "adversarial_t2s",
        "adversarial_s2t",
        "discriminator_source",
        "discriminator_target",
        "accuracy_source",
        "accuracy_target",
    )

    def __init__(
        self,
        config: TranslationConfig,
        translator: str,
        image_size: int,
        steps: int,
        global_batch_size: int,
        seed: int,
        channels: int = 1,
        precision: str = "float32",
        jit: bool = False,
    ):
        super().__init__(name="translation")
        self.config = config
        self.global_batch_size = global_batch_size
        self._seed = seed
        self._strategy = tf.distribute.get_strategy()
        with computing_in(precision):
            self.g_t2s = make_generator(config, translator, "g_t2s", channels)
            self.g_s2t = make_generator(config, translator, "g_s2t", channels)
            self.d_source = PatchDiscriminator(config.discriminator_filters, config.normalization, name="d_source")
            self.d_target = PatchDiscriminator(config.discriminator_filters, config.normalization, name="d_target")
        image_shape = (image_size, image_size, channels)
        for model in (self.g_t2s, self.g_s2t, self.d_source, self.d_target):
            model(tf.zeros((1, *image_shape)))
        generators = self.g_t2s.trainable_variables + self.g_s2t.trainable_variables
        discriminators = self.d_source.trainable_variables + self.d_target.trainable_variables
        self.generator_update = WeightUpdate(config.generator, steps, generators, precision)
        self.discriminator_update = WeightUpdate(config.discriminator, steps, discriminators, precision)
        self.pool_source = ImagePool(config.pool_size, image_shape, name="pool_source")
        self.pool_target = ImagePool(config.pool_size, image_shape, name="pool_target")
        self._generator_gradients = compiled(self._generator_gradients, jit)
        self._discriminator_gradients = compiled(self._discriminator_gradients, jit)

    def state(self) -> dict[str, Any]:
        """Returns all that an update changes, by name, for a checkpoint."""
        networks = (self.g_t2s, self.g_s2t, self.d_source, self.d_target)
        return {
            **{network.name: stored(network) for network in networks},
            "generator_optimizer": self.generator_update.state(),
            "discriminator_optimizer": self.discriminator_update.state(),
        }

    def pools(self) -> dict[str, ImagePool]:
        """Returns the image pools by name; each replica has its own images in them."""
        return {pool.name: pool for pool in (self.pool_source, self.pool_target)}

    def updates(self) -> dict[str, WeightUpdate]:
        """Returns the weight updates by name."""
        return {"generator": self.generator_update, "discriminator": self.discriminator_update}

    def phase(self, step: int) -> tuple[str, int | None]:
        """Returns the name of the update at `step` and the step at which another one begins (None: never)."""
        if not self.config.identity_weight:
            return "free", None
        if not self.config.identity_steps:
            return "anchored", None
        if step < self.config.identity_steps:
            return "anchored", self.config.identity_steps
        return "free", None

    def update(self, phase: str, step: tf.Tensor, x_s: tf.Tensor, x_t: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of the generators, then one of the discriminators; call it in cross-replica context.

        Args:
          phase: `anchored` with identity loss, `free` without.
          step: scalar int64.
          x_s: each replica's source images [batch, height, width, channels] in [−1, 1].
          x_t: each replica's target images of the same shape.

        Returns:
          Scalars by `metric_names`, means over the global batch.
        """
        anchored = phase == "anchored"
        gradients, fake_s, fake_t, metrics = run_and_sum(
            self._strategy, lambda s, t: self._generator_gradients(s, t, anchored), (x_s, x_t)
        )
        self.generator_update.apply(gradients)
        shown_s, shown_t = self._strategy.run(self._exchange, args=(step, fake_s, fake_t))
        gradients, judged = run_and_sum(self._strategy, self._discriminator_gradients, (x_s, x_t, shown_s, shown_t))
        self.discriminator_update.apply(gradients)
        return {**metrics, **judged}

    def _generator_gradients(self, x_s, x_t, anchored):
        config, batch = self.config, x_s.shape[0]
        with tf.GradientTape() as tape:
            # One pass through each generator for translation and identity together.
            to_source = self.g_t2s(tf.concat([x_t, x_s], axis=0) if anchored else x_t)
            to_target = self.g_s2t(tf.concat([x_s, x_t], axis=0) if anchored else x_s)
            fake_s, fake_t = to_source[:batch], to_target[:batch]
            cycle = losses.l1_loss(self.g_t2s(fake_t), x_s) + losses.l1_loss(self.g_s2t(fake_s), x_t)
            adversarial_t2s = losses.real_loss(self.d_source(fake_s), config.adversarial)
            adversarial_s2t = losses.real_loss(self.d_target(fake_t), config.adversarial)
            identity = tf.zeros_like(cycle)
            if anchored:
                identity = losses.l1_loss(to_source[batch:], x_s) + losses.l1_loss(to_target[batch:], x_t)
            total = adversarial_t2s + adversarial_s2t + config.cycle_weight * cycle + config.identity_weight * identity
            loss = self._share(total)
            scaled = self.generator_update.scaled(loss)
        gradients = tape.gradient(scaled, self.generator_update.variables_updated)
        metrics = {
            "generator": loss,
            "cycle": self._share(cycle),
            "identity": self._share(identity),
            "adversarial_t2s": self._share(adversarial_t2s),
            "adversarial_s2t": self._share(adversarial_s2t),
        }
        return gradients, fake_s, fake_t, metrics

    def _exchange(self, step, fake_s, fake_t):
        seed = tf.stack([tf.constant(self._seed, tf.int64), step])
        shown_s = self.pool_source.exchange(fake_s, seed)
        return shown_s, self.pool_target.exchange(fake_t, seed + tf.constant([7919, 0], tf.int64))

    def _discriminator_gradients(self, x_s, x_t, shown_s, shown_t):
        kind, batch = self.config.adversarial, x_s.shape[0]
        with tf.GradientTape() as tape:
            judged_s = self.d_source(tf.concat([x_s, shown_s], axis=0))
            judged_t = self.d_target(tf.concat([x_t, shown_t], axis=0))
            loss_s = losses.discriminator_loss(judged_s[:batch], judged_s[batch:], kind)
            loss_t = losses.discriminator_loss(judged_t[:batch], judged_t[batch:], kind)
            # Halved, as in CycleGAN, which slows the discriminators against the generators.
            scaled = self.discriminator_update.scaled(0.5 * self._share(loss_s + loss_t))
        gradients = tape.gradient(scaled, self.discriminator_update.variables_updated)
        accuracy_s = losses.decision_accuracy(judged_s[:batch], judged_s[batch:], kind)
        accuracy_t = losses.decision_accuracy(judged_t[:batch], judged_t[batch:], kind)
        return gradients, {
            "discriminator_source": self._share(loss_s),
            "discriminator_target": self._share(loss_t),
            "accuracy_source": self._share(accuracy_s),
            "accuracy_target": self._share(accuracy_t),
        }

    def _share(self, per_example):
        # Gradients and metrics are summed over replicas, so each replica divides by the global batch.
        return tf.reduce_sum(per_example) / self.global_batch_size
