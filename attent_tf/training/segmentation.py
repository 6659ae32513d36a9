"""Stage 2, inner step: the segmentor and its adversarial alignment (section III-C, Eq. 5–8)."""

from typing import Any

import tensorflow as tf

from attent_tf import losses
from attent_tf.configs import SegmentationConfig
from attent_tf.errors import ConfigError
from attent_tf.models import MapDiscriminator, SegmentorOutput
from attent_tf.runs.networks import make_segmentor, stored
from attent_tf.training.optimizers import make_optimizer


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
    """

    def __init__(
        self,
        config: SegmentationConfig,
        aligner: str | None,
        image_size: int,
        steps: int,
        global_batch_size: int,
        channels: int = 1,
    ):
        super().__init__(name="segmentation")
        self.config = config
        self.aligner = aligner
        self.global_batch_size = global_batch_size
        self.segmentor = make_segmentor(config)
        output = self.segmentor(tf.zeros((1, image_size, image_size, channels)))
        self._segmentor_variables = self.segmentor.trainable_variables
        self.segmentor_optimizer = make_optimizer(config.segmentor, steps, self._segmentor_variables)
        self.discriminators = []
        if aligner:
            for name, maps in zip(("d_main", "d_aux"), self._maps(output), strict=False):
                if min(maps.shape[1:3]) < MapDiscriminator.smallest_edge:
                    raise ConfigError(
                        f"configuration key data.image_size: {image_size} leaves maps of {maps.shape[1]} pixels to the {aligner} "
                        f"aligner, which needs {MapDiscriminator.smallest_edge}; choose a larger one"
                    )
                discriminator = MapDiscriminator(config.discriminator_filters, name=name)
                discriminator(tf.zeros_like(maps))
                self.discriminators.append(discriminator)
            self._discriminator_variables = [v for d in self.discriminators for v in d.trainable_variables]
            self.discriminator_optimizer = make_optimizer(config.discriminator, steps, self._discriminator_variables)

    @property
    def metric_names(self) -> tuple[str, ...]:
        names = ("segmentor", "cross_entropy", "dice", "entropy_source")
        return (*names, "entropy_target", "alignment", "discriminator", "accuracy") if self.aligner else names

    def state(self) -> dict[str, Any]:
        """Returns all that an update changes, by name, for a checkpoint."""
        state = {"segmentor": stored(self.segmentor), "segmentor_optimizer": stored(self.segmentor_optimizer)}
        if self.aligner:
            state.update({network.name: stored(network) for network in self.discriminators})
            state["discriminator_optimizer"] = stored(self.discriminator_optimizer)
        return state

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
        """One update of S and, when `phase` is `aligned`, one of the discriminators; call it in replica context.

        Args:
          phase: `supervised` or `aligned`.
          step: scalar int64.
          labelled: images [batch, height, width, channels] in [−1, 1] and labels [batch, height, width].
          x_t: target images, translated where the method has a translator; unlabelled.

        Returns:
          Scalars by `metric_names`: this replica's share of the means over the global batch.
        """
        del step
        images, labels = labelled
        aligned = phase == "aligned"
        target = None
        with tf.GradientTape() as tape:
            source = self.segmentor(images, training=True)
            cross_entropy, dice = self._supervised(source, labels)
            total = cross_entropy + self.config.dice_weight * dice
            if aligned:
                # Without `training`: the statistics of the batch norms stay those of labelled images.
                target = self.segmentor(x_t, training=False)
                alignment = self._alignment(target)
                total = total + alignment
            loss = self._share(total)
        self.segmentor_optimizer.apply(tape.gradient(loss, self._segmentor_variables), self._segmentor_variables)
        metrics = {
            "segmentor": loss,
            "cross_entropy": self._share(cross_entropy),
            "dice": self._share(dice),
            "entropy_source": self._share(_mean_entropy(source)),
        }
        if aligned:
            metrics["entropy_target"] = self._share(_mean_entropy(target))
            metrics["alignment"] = self._share(alignment)
            metrics.update(self._update_discriminators(source, target))
        return {name: metrics.get(name, tf.constant(0.0)) for name in self.metric_names}

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

    def _update_discriminators(self, source, target):
        """Eq. 7."""
        kind = self.config.aligner_adversarial
        shown_s = [tf.stop_gradient(maps) for maps in self._maps(source)]
        shown_t = [tf.stop_gradient(maps) for maps in self._maps(target)]
        with tf.GradientTape() as tape:
            judged = [(d(s), d(t)) for d, s, t in zip(self.discriminators, shown_s, shown_t, strict=True)]
            loss = sum(self._share(losses.discriminator_loss(s, t, kind)) for s, t in judged)
        gradients = tape.gradient(loss, self._discriminator_variables)
        self.discriminator_optimizer.apply(gradients, self._discriminator_variables)
        return {"discriminator": loss, "accuracy": self._share(losses.decision_accuracy(*judged[0], kind))}

    def _maps(self, output):
        return alignment_maps(output, self.aligner, self.config.entropy_channels)

    def _share(self, per_example):
        # Gradients and metrics are summed over replicas, so each replica divides by the global batch.
        return tf.reduce_sum(per_example) / self.global_batch_size


def _mean_entropy(output):
    return tf.reduce_mean(losses.entropy_map(output.main), axis=[1, 2, 3])
