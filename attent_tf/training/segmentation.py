"""Stage 2, inner step: the segmentor and its adversarial alignment (section III-C, Eq. 5–8)."""

from typing import Any

import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import SegmentationConfig
from attent_tf.errors import ConfigError
from attent_tf.models import MapDiscriminator, SegmentorOutput
from attent_tf.runs.networks import make_segmentor, stored
from attent_tf.training.precision import computing_in
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.weight_update import WeightUpdate


def alignment_maps(output: SegmentorOutput, aligner: str, entropy_channels: str) -> tuple[tf.Tensor, ...]:
    """Returns what the discriminators are shown of a prediction, main head first.

    Args:
      output: of the segmentor.
      aligner: `entropy` (Eq. 6), `softmax` (AdaptSegNet) or `features` (of the backbone; one map only).
      entropy_channels: `sum` for the map of Eq. 6, `class` for ADVENT's weighted self-information.

    Returns:
      One or two maps [batch, height, width, channels], float32.
    """
    if aligner == "features":
        return (tf.cast(output.features, tf.float32),)
    if aligner == "softmax":
        return tuple(tf.nn.softmax(tf.cast(logits, tf.float32)) for logits in (output.main, output.aux))
    to_map = losses.entropy_map if entropy_channels == "sum" else losses.self_information_map
    return tuple(to_map(logits) for logits in (output.main, output.aux))


class SegmentationStep(tf.Module):
    """The segmentor, the discriminators of its aligner if it has one, their optimisers, and one update of each.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      config: of the stage.
      aligner: `entropy`, `softmax`, `features` or None.
      image_size: edge of the images in pixels.
      steps: number of updates in all, for the learning rates.
      global_batch_size: slices of each domain a step, over all replicas.
      channels: of the images.
      precision: see `attent_tf.training.precision`.
      jit: whether gradients are compiled by XLA.
    """

    def __init__(
        self,
        config: SegmentationConfig,
        aligner: str | None,
        image_size: int,
        steps: int,
        global_batch_size: int,
        channels: int = 1,
        precision: str = "float32",
        jit: bool = False,
    ):
        super().__init__(name="segmentation")
        self.config = config
        self.aligner = aligner
        self.global_batch_size = global_batch_size
        self._strategy = tf.distribute.get_strategy()
        with computing_in(precision):
            self.segmentor = make_segmentor(config)
            output = self.segmentor(tf.zeros((1, image_size, image_size, channels)))
            self.discriminators = self._make_discriminators(output, image_size) if aligner else []
        self.segmentor_update = WeightUpdate(config.segmentor, steps, self.segmentor.trainable_variables, precision)
        if aligner:
            variables = [v for d in self.discriminators for v in d.trainable_variables]
            self.discriminator_update = WeightUpdate(config.discriminator, steps, variables, precision)
        self._supervised_gradients = compiled(self._supervised_gradients, jit)
        self._aligned_gradients = compiled(self._aligned_gradients, jit)
        self._discriminator_gradients = compiled(self._discriminator_gradients, jit)

    def _make_discriminators(self, output, image_size):
        discriminators = []
        for name, maps in zip(("d_main", "d_aux"), self._maps(output), strict=False):
            if min(maps.shape[1:3]) < MapDiscriminator.smallest_edge:
                raise ConfigError(
                    f"configuration key data.image_size: {image_size} leaves maps of {maps.shape[1]} pixels to the "
                    f"{self.aligner} aligner, which needs {MapDiscriminator.smallest_edge}; choose a larger one"
                )
            discriminator = MapDiscriminator(self.config.discriminator_filters, name=name)
            discriminator(tf.zeros_like(maps))
            discriminators.append(discriminator)
        return discriminators

    @property
    def metric_names(self) -> tuple[str, ...]:
        names = ("segmentor", "cross_entropy", "dice", "entropy_source")
        return (*names, "entropy_target", "alignment", "discriminator", "accuracy") if self.aligner else names

    def state(self) -> dict[str, Any]:
        """Returns all that an update changes, by name, for a checkpoint."""
        networks = {network.name: stored(network) for network in (self.segmentor, *self.discriminators)}
        return {**networks, **{f"{name}_optimizer": update.state() for name, update in self.updates().items()}}

    def pools(self) -> dict:
        """Returns no image pools: this stage has none."""
        return {}

    def updates(self) -> dict[str, WeightUpdate]:
        """Returns the weight updates by name."""
        updates = {"segmentor": self.segmentor_update}
        return {**updates, "discriminator": self.discriminator_update} if self.aligner else updates

    def phase(self, step: int) -> tuple[str, int | None]:
        """Returns the name of the update at `step` and the step at which another one begins (None: never)."""
        if not self.aligner:
            return "supervised", None
        if step < self.config.aligner_warmup_steps:
            return "supervised", self.config.aligner_warmup_steps
        return "aligned", None

    def update(
        self, phase: str, step: tf.Tensor, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """One update of S and, when `phase` is `aligned`, one of the discriminators; call it in cross-replica context.

        Args:
          phase: `supervised` or `aligned`.
          step: scalar int64.
          labelled: each replica's images [batch, height, width, channels] in [−1, 1] and labels [batch, height, width].
          x_t: each replica's target images, translated where the method has a translator; unlabelled.

        Returns:
          Scalars by `metric_names`, means over the global batch.
        """
        del step
        if phase == "supervised":
            gradients, metrics = run_and_sum(self._strategy, self._supervised_gradients, labelled)
            self.segmentor_update.apply(gradients)
        else:
            gradients, shown, metrics = run_and_sum(self._strategy, self._aligned_gradients, (*labelled, x_t))
            self.segmentor_update.apply(gradients)
            gradients, judged = run_and_sum(self._strategy, self._discriminator_gradients, shown)
            self.discriminator_update.apply(gradients)
            metrics = {**metrics, **judged}
        return {name: metrics.get(name, tf.constant(0.0)) for name in self.metric_names}

    def _supervised_gradients(self, images, labels):
        with tf.GradientTape() as tape:
            source = self.segmentor(images, training=True)
            loss, metrics = self._supervised_loss(source, labels)
            scaled = self.segmentor_update.scaled(loss)
        return tape.gradient(scaled, self.segmentor_update.variables_updated), {"segmentor": loss, **metrics}

    def _aligned_gradients(self, images, labels, x_t):
        with tf.GradientTape() as tape:
            source = self.segmentor(images, training=True)
            supervised, metrics = self._supervised_loss(source, labels)
            # Without `training`: the statistics of the batch norms stay those of labelled images.
            target = self.segmentor(x_t, training=False)
            alignment = self._share(self._alignment(target))
            loss = supervised + alignment
            scaled = self.segmentor_update.scaled(loss)
        metrics = {
            "segmentor": loss,
            **metrics,
            "entropy_target": self._share(_mean_entropy(target)),
            "alignment": alignment,
        }
        shown = (self._maps(source), self._maps(target))
        return tape.gradient(scaled, self.segmentor_update.variables_updated), shown, metrics

    def _supervised_loss(self, source, labels):
        cross_entropy, dice = self._supervised(source, labels)
        metrics = {
            "cross_entropy": self._share(cross_entropy),
            "dice": self._share(dice),
            "entropy_source": self._share(_mean_entropy(source)),
        }
        return self._share(cross_entropy + self.config.dice_weight * dice), metrics

    def _supervised(self, output, labels):
        """Weighted sums over both heads of the cross-entropy (Eq. 5) and of the Dice loss, each [batch]."""
        heads = ((self.config.main_weight, output.main), (self.config.aux_weight, output.aux))
        cross_entropy = sum(weight * losses.cross_entropy_loss(logits, labels) for weight, logits in heads)
        if not self.config.dice_weight:
            return cross_entropy, tf.zeros_like(cross_entropy)
        return cross_entropy, sum(weight * losses.dice_loss(logits, labels) for weight, logits in heads)

    def _alignment(self, target):
        """Eq. 8: what S pays for target maps that do not pass for source maps, [batch]."""
        weights = (self.config.aligner_main_weight, self.config.aligner_aux_weight)
        kind = self.config.aligner_adversarial
        judged = zip(weights, self.discriminators, self._maps(target), strict=False)
        return sum(weight * losses.real_loss(d(maps), kind) for weight, d, maps in judged)

    def _discriminator_gradients(self, shown_s, shown_t):
        """Eq. 7, of maps that are given."""
        kind = self.config.aligner_adversarial
        with tf.GradientTape() as tape:
            judged = [(d(s), d(t)) for d, s, t in zip(self.discriminators, shown_s, shown_t, strict=True)]
            loss = sum(self._share(losses.discriminator_loss(s, t, kind)) for s, t in judged)
            scaled = self.discriminator_update.scaled(loss)
        gradients = tape.gradient(scaled, self.discriminator_update.variables_updated)
        accuracy = self._share(losses.decision_accuracy(*judged[0], kind))
        return gradients, {"discriminator": loss, "accuracy": accuracy}

    def _maps(self, output):
        return alignment_maps(output, self.aligner, self.config.entropy_channels)

    def _share(self, per_example):
        # Gradients and metrics are summed over replicas, so each replica divides by the global batch.
        return tf.reduce_sum(per_example) / self.global_batch_size


def _mean_entropy(output):
    return tf.reduce_mean(losses.entropy_map(output.main), axis=[1, 2, 3])
