"""Stage 1, inner step: the attention CycleGAN, or the classic one (section III-B, Eq. 1–4)."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import Config
from attent_tf.layers import make_normalization
from attent_tf.methods import JUDGE_SOURCE, JUDGE_TARGET, TO_SOURCE, TO_TARGET
from attent_tf.tasks import Task
from attent_tf.training.image_pool import ImagePool
from attent_tf.training.panels import TranslationPanel
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.adversary import Adversary
from attent_tf.training.steps.step import Step, StepContext


class CycleGanStep(Step):
    """Both generators together, then the image discriminator of each domain.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `to_source`, `to_target`, `judge_source` and `judge_target`.
      trained_along: roles of further networks of the stage that the optimiser of the generators updates as well.
    """

    def __init__(self, context: StepContext, trained_along: tuple[str, ...] = ()):
        super().__init__(context)
        # Of a step that trains more than generators, these are not in its own section.
        self.translation = context.config.translation
        for network in self.networks.values():
            network(tf.zeros((1, *context.image_shape)))
        self.to_source, self.to_target = self.networks[TO_SOURCE], self.networks[TO_TARGET]
        trained = [self.networks[role] for role in (TO_SOURCE, TO_TARGET, *trained_along)]
        self.generators = self.updating("generator", self.translation.generator, *trained)
        self.judge_source = self._judge(JUDGE_SOURCE, self.source)
        self.judge_target = self._judge(JUDGE_TARGET, self.target)
        self._generator_gradients = compiled(self._generator_gradients, context.config.jit)
        self.metric_names = (
            "generator",
            "cycle",
            "identity",
            *(f"adversarial_{self.name_of(role)}" for role in (TO_SOURCE, TO_TARGET)),
            *(f"discriminator_{domain}" for domain in (self.source, self.target)),
            *(f"accuracy_{domain}" for domain in (self.source, self.target)),
        )

    def _judge(self, role, domain):
        config = self.translation
        pool = ImagePool(config.pool_size, self.context.image_shape, name=f"pool_{domain}")
        return Adversary(
            self,
            self.name_of(role),
            self.networks[role],
            config.discriminator,
            config.adversarial,
            pool=pool,
            share_of_loss=0.5,
            together=True,
        )

    @classmethod
    def check(cls, config: Config, task: Task, begun: bool) -> None:
        """Raises ConfigError where the package of the normalisation is missing."""
        del task, begun
        make_normalization(config.translation.normalization)

    def phase(self, step: int) -> tuple[str, int | None]:
        """`anchored` with identity loss, `free` without."""
        if not self.translation.identity_weight:
            return "free", None
        if not self.translation.identity_steps:
            return "anchored", None
        if step < self.translation.identity_steps:
            return "anchored", self.translation.identity_steps
        return "free", None

    def update(self, phase: str, step: tf.Tensor, x_s: tf.Tensor, x_t: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of the generators, then one of each discriminator, on source images `x_s` and target images `x_t`."""
        anchored = phase == "anchored"
        gradients, fake_s, fake_t, metrics = run_and_sum(
            self.strategy, lambda s, t: self._generator_gradients(s, t, anchored), (x_s, x_t)
        )
        self.generators.apply(gradients)
        return {**metrics, **self.judge(step, x_s, x_t, fake_s, fake_t)}

    def judge(self, step: tf.Tensor, x_s, x_t, fake_s, fake_t) -> dict[str, tf.Tensor]:
        """One update of each discriminator on images and translations of each replica; call it in cross-replica context."""
        shown_s, shown_t = self.strategy.run(self._exchange, args=(step, fake_s, fake_t))
        judged_s, judged_t = self.judge_source.learn(x_s, shown_s), self.judge_target.learn(x_t, shown_t)
        return {
            f"discriminator_{self.source}": judged_s["loss"],
            f"discriminator_{self.target}": judged_t["loss"],
            f"accuracy_{self.source}": judged_s["accuracy"],
            f"accuracy_{self.target}": judged_t["accuracy"],
        }

    def _generator_gradients(self, x_s, x_t, anchored):
        with tf.GradientTape() as tape:
            loss, fake_s, fake_t, metrics = self.translate(x_s, x_t, anchored)
            scaled = self.generators.scaled(loss)
        gradients = tape.gradient(scaled, self.generators.variables_updated)
        return gradients, fake_s, fake_t, {"generator": loss, **metrics}

    def translate(
        self, x_s: tf.Tensor, x_t: tf.Tensor, anchored: bool
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        """Translates both ways; call it in replica context, under a tape.

        Args:
          x_s, x_t: [batch, height, width, channels].
          anchored: whether the identity loss counts.

        Returns:
          What the generators pay [], x_t in source style, x_s in target style, and the parts of the loss as metrics.
        """
        config, batch = self.translation, x_s.shape[0]
        # One pass through each generator for translation and identity together.
        to_source = self.to_source(tf.concat([x_t, x_s], axis=0) if anchored else x_t)
        to_target = self.to_target(tf.concat([x_s, x_t], axis=0) if anchored else x_s)
        fake_s, fake_t = to_source[:batch], to_target[:batch]
        cycle = losses.l1_loss(self.to_source(fake_t), x_s) + losses.l1_loss(self.to_target(fake_s), x_t)
        fooling_s, fooling_t = self.judge_source.charge(fake_s), self.judge_target.charge(fake_t)
        identity = tf.zeros_like(cycle)
        if anchored:
            identity = losses.l1_loss(to_source[batch:], x_s) + losses.l1_loss(to_target[batch:], x_t)
        total = fooling_s + fooling_t + config.cycle_weight * cycle + config.identity_weight * identity
        metrics = {
            "cycle": self.share(cycle),
            "identity": self.share(identity),
            f"adversarial_{self.name_of(TO_SOURCE)}": self.share(fooling_s),
            f"adversarial_{self.name_of(TO_TARGET)}": self.share(fooling_t),
        }
        return self.share(total), fake_s, fake_t, metrics

    def _exchange(self, step, fake_s, fake_t):
        seed = tf.stack([tf.constant(self.context.config.seed, tf.int64), step])
        shown_s = self.judge_source.pool.exchange(fake_s, seed)
        return shown_s, self.judge_target.pool.exchange(fake_t, seed + tf.constant([7919, 0], tf.int64))

    def panel(self, source: np.ndarray, target: np.ndarray) -> Callable[[], dict[str, tf.Tensor]]:
        """Input, translation, cycle and the finest gate, for both directions."""
        return TranslationPanel(
            {
                self.name_of(TO_SOURCE): (self.to_source, self.to_target, target),
                self.name_of(TO_TARGET): (self.to_target, self.to_source, source),
            }
        )
