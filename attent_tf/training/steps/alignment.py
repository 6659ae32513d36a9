"""Stage 2, inner step with alignment: the segmentor and its adversaries (section III-C, Eq. 5–8)."""

import tensorflow as tf

from attent_tf import losses
from attent_tf.errors import ConfigError
from attent_tf.methods import JUDGE_AUX, JUDGE_MAIN
from attent_tf.models import MapDiscriminator, SegmentorOutput
from attent_tf.training.replicas import compiled, run_and_sum
from attent_tf.training.steps.adversary import Adversary
from attent_tf.training.steps.step import StepContext
from attent_tf.training.steps.supervised_terms import mean_entropy, supervised_terms
from attent_tf.training.steps.warmed_up import WarmedUpStep


def alignment_maps(output: SegmentorOutput, on: str, entropy_channels: str) -> tuple[tf.Tensor, ...]:
    """Returns what the discriminators are shown of a prediction, main head first.

    Args:
      output: the output of the segmentor.
      on: `entropy`, `self_information` (ADVENT's, weighted), `softmax` (AdaptSegNet) or `features` (of the backbone; one map
        only).
      entropy_channels: of `entropy`: `sum` for the map of Eq. 6, `class` for the self-information.

    Returns:
      One or two maps [batch, height, width, channels], float32.
    """
    if on == "features":
        return (tf.cast(output.features, tf.float32),)
    if on == "softmax":
        return tuple(tf.nn.softmax(tf.cast(logits, tf.float32)) for logits in (output.main, output.aux))
    summed = on == "entropy" and entropy_channels == "sum"
    to_map = losses.entropy_map if summed else losses.self_information_map
    return tuple(to_map(logits) for logits in (output.main, output.aux))


class AlignmentStep(WarmedUpStep):
    """The segmentor on labelled slices and on target slices that shall pass for source, then its adversaries.

    Make it, and trace it, inside the scope of the strategy.

    Args:
      context: the context of a stage with `segmentor`, `judge_main` and, but for features, `judge_aux`.
      on: what the adversaries are shown, see `alignment_maps`.
    """

    metric_names = (*WarmedUpStep.metric_names, "entropy_target", "alignment", "discriminator", "accuracy")

    def __init__(self, context: StepContext, on: str):
        super().__init__(context)
        self._on = on
        config = self.config
        weights = {JUDGE_MAIN: config.aligner_main_weight, JUDGE_AUX: config.aligner_aux_weight}
        maps = self._maps(self.segmentor(tf.zeros((1, *context.image_shape))))
        self.adversaries = []
        for role, shown in zip(weights, maps, strict=False):
            self._check_size(shown)
            self.networks[role](tf.zeros_like(shown))
            self.adversaries.append(
                Adversary(
                    self, role, self.networks[role], config.discriminator, config.aligner_adversarial, weights[role]
                )
            )
        self._aligned_gradients = compiled(self._aligned_gradients, context.config.jit)

    def _check_size(self, shown):
        if min(shown.shape[1:3]) < MapDiscriminator.smallest_edge:
            raise ConfigError(
                f"configuration key data.image_size: {self.context.image_shape[0]} leaves maps of {shown.shape[1]} pixels to "
                f"the alignment of {self._on}, which needs {MapDiscriminator.smallest_edge}; choose a larger one"
            )

    def adapt(self, labelled: tuple[tf.Tensor, tf.Tensor], x_t: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of S on labelled and target images, then one of each adversary."""
        gradients, shown_s, shown_t, metrics = run_and_sum(self.strategy, self._aligned_gradients, (*labelled, x_t))
        self.segmentor_update.apply(gradients)
        judged = [
            adversary.learn(source, target)
            for adversary, source, target in zip(self.adversaries, shown_s, shown_t, strict=True)
        ]
        total = sum(verdict["loss"] for verdict in judged)
        return {**metrics, "discriminator": total, "accuracy": judged[0]["accuracy"]}

    def _aligned_gradients(self, images, labels, x_t):
        with tf.GradientTape() as tape:
            source = self.segmentor(images, training=True)
            supervised, metrics = supervised_terms(self.config, source, labels, self.share)
            target = self.segmentor(x_t, training=self.config.aligner_statistics == "own")
            maps = self._maps(target)
            # Eq. 8: what S pays for target maps that do not pass for source maps.
            alignment = self.share(sum(a.charge(shown) for a, shown in zip(self.adversaries, maps, strict=True)))
            loss = supervised + alignment
            scaled = self.segmentor_update.scaled(loss)
        metrics = {
            "segmentor": loss,
            **metrics,
            "entropy_target": self.share(mean_entropy(target.main)),
            "alignment": alignment,
        }
        gradients = tape.gradient(scaled, self.segmentor_update.variables_updated)
        return gradients, self._maps(source), maps, metrics

    def _maps(self, output):
        return alignment_maps(output, self._on, self.config.entropy_channels)
